"""Formula: symbols, numbers and speech, in LaTeX."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_WORDS = {
    r"\cdot": "\N{MULTIPLICATION SIGN}",
    r"\cdots": "\N{HORIZONTAL ELLIPSIS}",
    r"\sum": "sum over",
    r"\log": "log",
    r"\Delta": "delta",
    r"\max": "max",
    r"\min": "min",
    r"\,": " ",
}
_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\{|\}|[^\\{}]+")


def text(words: str) -> str:
    r"""Wrap words for LaTeX: ``r"\text{6.4×}"``."""
    return rf"\text{{{words}}}"


def grouped(number: int) -> str:
    r"""Write a count for LaTeX with commas between thousands, as one unit."""
    return text(f"{number:,}") if number >= 1000 else str(number)


def log2_of(count: int) -> str:
    """Write the binary logarithm of a count in LaTeX."""
    return rf"\log_2 \, {grouped(count)}"


def ratio_text(ratio: float) -> str:
    """Write a ratio with the multiplication sign, to three digits: ``"0.049×"``, ``"12.3×"``."""
    if not math.isfinite(ratio):
        return "\N{INFINITY}"
    if ratio < 1:
        return f"{ratio:.3g}\N{MULTIPLICATION SIGN}"
    return f"{ratio:,.{0 if ratio >= 99.95 else 1}f}\N{MULTIPLICATION SIGN}"


def plain(latex: str) -> str:
    r"""Write LaTeX as one line of plain text.

    `latex`: of the few commands that the formulas use: ``\frac``, ``\text``, ``\log_2`` and so on.
    Returns: such as ``"r = (n b) / (n log2 k + k b)"``. Raises ValueError if a command is not known
    or a brace is left open.
    """
    tokens = _TOKEN.findall(latex)
    words = _group(tokens, latex)
    if tokens:
        raise ValueError(f"a brace is closed that was never opened in {latex!r}: remove it")
    return re.sub(r"\s+", " ", words).strip()


def _group(tokens: list[str], latex: str) -> str:
    """Take tokens off the front up to the end of the group that they are in."""
    parts: list[str] = []
    while tokens and tokens[0] != "}":
        token = tokens.pop(0)
        if token == r"\frac":
            top, bottom = _argument(tokens, latex), _argument(tokens, latex)
            parts.append(f"{_enclosed(top)} / {_enclosed(bottom)}")
        elif token == r"\text":
            parts.append(_argument(tokens, latex))
        elif token == "{":
            tokens.insert(0, token)
            parts.append(_argument(tokens, latex))
        elif token.startswith("\\"):
            if token not in _WORDS:
                known = ", ".join([r"\frac", r"\text", *_WORDS])
                raise ValueError(f"{token} in {latex!r} is not known: use one of {known}")
            parts.append(_WORDS[token])
        else:
            parts.append(token.replace("_", " "))
    return "".join(parts).replace("log 2", "log2")


def _enclosed(words: str) -> str:
    return f"({words})" if " " in words.strip() else words


def _argument(tokens: list[str], latex: str) -> str:
    if not tokens or tokens.pop(0) != "{":
        raise ValueError(f"a group in braces was expected in {latex!r}: add the brace")
    words = _group(tokens, latex)
    if not tokens:
        raise ValueError(f"a brace is left open in {latex!r}: close it")
    tokens.pop(0)
    return words


THE_REST = "The whole file also counts its header and the tensors that no step touches."


@dataclass(frozen=True)
class Formula:
    r"""A formula in symbols, the same with numbers, and what it gives.

    `name`: what is computed, such as ``"Weight sharing"``. `latex`: the formula in symbols, such as
    ``r"r = \frac{n b}{n \, \log_2 \, k + k b}"``. `filled`: the right side with the current numbers
    and its value, in LaTeX, from ``=`` on. `value_text`: the value with its unit, such as
    ``"6.4×"``. `note`: why what was measured differs, in a sentence. `measured_text`: what was
    measured, such as ``"6.1×"``; "" where nothing was. `measured_name`: where it was measured, such
    as ``"file"``.
    """

    name: str
    latex: str
    filled: str
    value_text: str
    note: str
    measured_text: str = ""
    measured_name: str = "file"

    @property
    def spoken(self) -> str:
        """Symbols, numbers and result in plain text, for a screen reader."""
        measured = f"; {self.measured_name} {self.measured_text}" if self.measured_text else ""
        return f"{self.name}: {plain(self.latex)} {plain(self.filled)}{measured}"


def rate(
    name: str, latex: str, top: str, bottom: str, ratio: float, measured: float | None, note: str
) -> Formula:
    """Make a formula that gives a compression ratio.

    `name`, `latex`, `note`: as in `Formula`. `top`, `bottom`: the fraction's numerator and
    denominator with numbers, in LaTeX. `ratio`: what the fraction gives. `measured`: the ratio that
    was measured.
    """
    value = ratio_text(ratio)
    file = "" if measured is None else ratio_text(measured)
    return Formula(name, latex, f"= {fraction(top, bottom)} = {text(value)}", value, note, file)


def fraction(top: str, bottom: str) -> str:
    """Write a fraction in LaTeX."""
    return rf"\frac{{{top}}}{{{bottom}}}"


def check_positive(**numbers: float) -> None:
    """Raise ValueError unless every number, given by its parameter's name, is positive."""
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} must be positive, got {number}: count at least one")
