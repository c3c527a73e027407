"""A number that somebody typed, and how far it is from the right one."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from explorer.chapters.verdicts import Verdict

_DECIMAL_COMMA = re.compile(r",(?!\d{3}(?:[,.]|$))")
_DROPPED = str.maketrans("", "", " _%\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}")


@dataclass(frozen=True)
class NumberGoal:
    """The number that a question asks for.

    `tolerance`: how far off an answer may be; 0 for whole numbers that can be counted. `unit`: what
    follows the number, such as ``"bytes"``. Raises ValueError if `answer` is not finite, or
    `tolerance` is negative.

    Examples
    --------
    >>> NumberGoal(235_200).judge("235,000").words
    '235,000 is too small, by less than 1 percent: count exactly.'
    """

    answer: float
    tolerance: float = 0.0
    unit: str = ""

    def __post_init__(self) -> None:
        if not math.isfinite(self.answer):
            raise ValueError(f"answer must be a finite number; got {self.answer!r}")
        if not self.tolerance >= 0:
            raise ValueError(f"tolerance must be 0 or more; got {self.tolerance!r}")

    def judge(self, typed: str) -> Verdict:
        """Judge what was typed; commas, spaces and a percent sign are let through."""
        digits = typed.translate(_DROPPED)
        if _DECIMAL_COMMA.search(digits):
            return Verdict(False, "Write a decimal point, not a comma: 12.5.")
        try:
            value = float(digits.replace(",", ""))
        except ValueError:
            return Verdict(False, f"{typed!r} is not a number: type digits, such as 12.5.")
        if not math.isfinite(value):
            return Verdict(False, "Type a finite number.")
        off = abs(value - self.answer)
        if off <= self.tolerance:
            near = "" if value == self.answer else f"; {self._short(value)} is close enough"
            return Verdict(True, f"Right: {self.said(self.answer)}{near}.")
        side = "small" if value < self.answer else "large"
        return Verdict(False, f"{self.said(value)} is too {side}, {self._far(value, off)}")

    def said(self, value: float) -> str:
        """Say a number with its unit."""
        return f"{self._short(value)} {self.unit}".rstrip()

    @staticmethod
    def _short(value: float) -> str:
        return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"

    def _far(self, value: float, off: float) -> str:
        """Say how far off a number is, without giving the right one away."""
        if self.answer and value / self.answer > 0:
            factor = max(value / self.answer, self.answer / value)
            if factor >= 2:
                return f"by a factor of about {float(f'{factor:.2g}'):,.10g}."
            share = off / abs(self.answer)
            if share < 0.01:
                return "by less than 1 percent: count exactly."
            return f"by about {100 * share:.0f} percent."
        return "and not even of the right sign." if self.answer else f"by {self.said(off)}."
