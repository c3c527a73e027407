"""What a question asks for, and what is said of an answer."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from explorer.compress.methods.setting import Setting
from explorer.compress.networks.recipe import Recipe
from explorer.controls.steps import title_of
from explorer.measure.accuracy import Accuracy
from explorer.measure.result import Result
from explorer.views.format import TIMES

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


@dataclass(frozen=True)
class Verdict:
    """Whether an answer, or a part of it, is right. `words`: what there is, and what is missing."""

    met: bool
    words: str


MOST_DIGITS = 4
HORIZONTAL_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

Figure = Callable[[Result], float | None]
Text = Callable[[float, int], str]


class Goal(ABC):
    """One thing that a question asks for."""

    @abstractmethod
    def judge(self, result: Result, recipe: Recipe) -> Verdict:
        """Judge the current result."""

    @abstractmethod
    def now(self, result: Result) -> str:
        """Say the current figure in a few words; "" where there is none to say."""


@dataclass(frozen=True)
class Reach(Goal):
    """A figure that is at least, or at most, as large as a bound.

    `name`: such as ``"accuracy"``. `figure`: takes a `Result` to the figure; None where it is not
    known yet. `text`, `gap`: take the figure, or how far it is from the bound, and a number of
    digits to text. `most`: whether the bound is the largest that is right, instead of the smallest.

    Examples
    --------
    >>> from explorer.compress.networks.recipe import Recipe
    >>> goal = Reach("zeros", lambda result: 0.75, 0.8, _percent, _points)
    >>> goal.judge(None, Recipe()).words
    'zeros 75.0%, asked for 80.0% or more: 5.0 points are missing'
    """

    name: str
    figure: Figure
    bound: float
    text: Text
    gap: Text
    most: bool = False

    def judge(self, result: Result, recipe: Recipe) -> Verdict:
        """Compare the figure with the bound."""
        value = self.figure(result)
        if value is None:
            return Verdict(False, f"{self.name}: not known yet")
        excess = value - self.bound if self.most else self.bound - value
        digits = self._digits(value)
        asked = f"asked for {self.text(self.bound, digits)} or {'less' if self.most else 'more'}"
        words = f"{self.name} {self.text(value, digits)}, {asked}"
        if excess <= 0:
            return Verdict(True, words)
        left = "too much" if self.most else "are missing"
        return Verdict(False, f"{words}: {self.gap(excess, digits)} {left}")

    def now(self, result: Result) -> str:
        """Say the figure."""
        value = self.figure(result)
        return f"{self.name} {HORIZONTAL_ELLIPSIS if value is None else self.text(value, 1)}"

    def _digits(self, value: float) -> int:
        """Return as few digits as tell the figure from the bound."""
        for digits in range(1, MOST_DIGITS):
            if self.text(value, digits) != self.text(self.bound, digits):
                return digits
        return 1 if value == self.bound else MOST_DIGITS


@dataclass(frozen=True)
class Uses(Goal):
    """A step of some kind that is in the recipe, or is not.

    `wanted`: whether it must be there; False if it must not.
    """

    kind: type[Setting]
    wanted: bool = True

    def judge(self, result: Result, recipe: Recipe) -> Verdict:
        """Look for the step."""
        there = any(isinstance(step, self.kind) for _, steps in recipe.entries for step in steps)
        name, met = title_of(self.kind), there == self.wanted
        state = f"{name} is {'' if there else 'not '}in the recipe"
        return Verdict(met, state if met else f"{state}: {'remove' if there else 'add'} it")

    def now(self, result: Result) -> str:
        """Say nothing: the recipe is in view."""
        return ""


def smaller(times: float) -> Goal:
    """Ask for a file that is `times` times smaller than the original."""
    return Reach("compression", lambda result: result.compression_ratio, times, _times, _times)


def accuracy(least: float) -> Goal:
    """Ask for an accuracy of `least` or more, a fraction; known once all data are evaluated."""
    return Reach("accuracy", _top1, least, _percent, _points)


def file_below(n_bytes: int) -> Goal:
    """Ask for a file of `n_bytes` or less."""
    return Reach("file", lambda result: result.size_bytes, n_bytes, _bytes, _bytes, most=True)


def zeros(least: float, layer: str = "") -> Goal:
    """Ask for a fraction of zeros of `least` or more, in a layer or in the whole network."""
    name = f"zeros in {layer}" if layer else "zeros"
    return Reach(name, lambda result: _sparsity(result, layer), least, _percent, _points)


def zeros_below(most: float, layer: str = "") -> Goal:
    """Ask for a fraction of zeros of `most` or less, in a layer or in the whole network."""
    name = f"zeros in {layer}" if layer else "zeros"
    return Reach(name, lambda result: _sparsity(result, layer), most, _percent, _points, most=True)


def layer_smaller(layer: str, times: float) -> Goal:
    """Ask for a layer that takes `times` times fewer bits."""
    return Reach(
        f"compression of {layer}",
        lambda result: result[layer].compression_ratio,
        times,
        _times,
        _times,
    )


def error_below(layer: str, most: float) -> Goal:
    """Ask for a relative error of a layer's weights of `most` or less."""
    return Reach(
        f"error of {layer}", lambda result: result[layer].error, most, _number, _number, most=True
    )


def operations_below(most: float) -> Goal:
    """Ask for a fraction of the multiplications of `most` or less."""
    return Reach("operations left", _mac_fraction, most, _percent, _points, most=True)


def _sparsity(result: Result, layer: str) -> float:
    return result[layer].sparsity if layer else result.sparsity


def _top1(result: Result) -> float | None:
    accuracy = result.accuracy if result.complete else None
    return accuracy.top1 if isinstance(accuracy, Accuracy) else None


def _mac_fraction(result: Result) -> float | None:
    return result.mac_fraction


def _times(value: float, digits: int) -> str:
    if math.isinf(value):
        return "infinite, no weight left"
    return f"{value:,.{digits}f}{TIMES}"


def _percent(value: float, digits: int) -> str:
    return f"{100 * value:.{digits}f}%"


def _points(value: float, digits: int) -> str:
    return f"{100 * value:.{digits}f} points"


def _bytes(value: float, _digits: int) -> str:
    return f"{value:,.0f} bytes"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits + 1}f}"
