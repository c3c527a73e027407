"""A formula of the lecture with the current numbers in it, to stand beside what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.measure.latex import plain, ratio_text, text

THE_REST = "The whole file also counts its header and the tensors that no step touches."


@dataclass(frozen=True)
class Formula:
    r"""A formula in symbols, the same with numbers, and what it gives.

    Attributes
    ----------
    name : str
        What is computed, such as ``"Weight sharing"``.
    latex : str
        The formula in symbols, such as ``r"r = \frac{n b}{n \, \log_2 \, k + k b}"``.
    filled : str
        The right side with the current numbers and its value, in LaTeX, from ``=`` on.
    value_text : str
        The value with its unit, such as ``"6.4×"``.
    note : str
        Why what was measured differs, in a sentence.
    measured_text : str
        What was measured, such as ``"6.1×"``; "" where nothing was.
    measured_name : str
        Where it was measured, such as ``"file"``.
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

    Parameters
    ----------
    name, latex, note : str
        As in `Formula`.
    top, bottom : str
        The fraction's numerator and denominator with numbers, in LaTeX.
    ratio : float
        What the fraction gives.
    measured : float or None
        The ratio that was measured.
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
