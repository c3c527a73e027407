"""Formulas of penalties on weights, with the strength and value that they have now."""

from __future__ import annotations

import math
from dataclasses import dataclass

from explorer.measure.formula import Formula
from explorer.measure.latex import text


@dataclass(frozen=True)
class PenaltyFormula(Formula):
    """A penalty's formula; ``words`` say it to those who cannot see it."""

    words: str = ""

    @property
    def spoken(self) -> str:
        """The penalty in words, and its value."""
        return f"{self.words} = {self.value_text}"


def penalty(name: str, latex: str, strength: float, value: float, words: str) -> PenaltyFormula:
    r"""Fill in a penalty: its formula in symbols, lambda times the sum, and the value.

    Parameters
    ----------
    name : str
        Such as ``"L1"``.
    latex : str
        The formula in symbols.
    strength : float
        Lambda, positive.
    value : float
        The penalty with its factor, as it is added to the loss; NaN where it is not known.
    words : str
        What it is, in plain words.

    Raises
    ------
    ValueError
        If the strength is not positive.

    Examples
    --------
    >>> penalty("L1", r"\lambda \sum_i |w_i|", 1e-4, 0.25, "Sum of magnitudes").value_text
    '0.25'
    """
    if not strength > 0:
        raise ValueError(f"strength must be positive, got {strength}: leave the penalty out")
    if math.isnan(value):
        return PenaltyFormula(name, latex, "", "", "", words=words)
    total, shown = _number(value / strength), f"{value:.3g}"
    filled = rf"= {_latex(strength)} \cdot {text(total)} = {text(shown)}"
    return PenaltyFormula(name, latex, filled, shown, "", words=words)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _latex(value: float) -> str:
    digits, _, exponent = f"{value:.2e}".partition("e")
    mantissa = digits.rstrip("0").rstrip(".")
    power = rf"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"
