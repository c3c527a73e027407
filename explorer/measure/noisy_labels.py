"""Samples with wrong labels, and what a teacher says of them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from explorer.measure.corrected_labels import CorrectedLabels


@dataclass(frozen=True, eq=False)
class Relabeled:
    """A sample whose label is wrong.

    Attributes
    ----------
    sample : int
        Its number.
    label, true, answer : str
        The label, the true class, and the class that the teacher gives.
    pixels : Tensor or None
        Shape (height, width, channels), uint8; None where it is no image.
    """

    sample: int
    label: str
    true: str
    answer: str
    pixels: Tensor | None


@dataclass(frozen=True, eq=False)
class NoisyLabels:
    """Which wrong labels a teacher puts right.

    Attributes
    ----------
    corrected : CorrectedLabels
    pictures : tuple of Relabeled
        The first of those that are put right.
    """

    corrected: CorrectedLabels
    pictures: tuple[Relabeled, ...]
