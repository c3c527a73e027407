"""How far a matrix is from its original after each stage, or in each block of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class StageErrors:
    """Relative Frobenius errors, one a stage or one a block.

    Attributes
    ----------
    labels : tuple of str
        What each error belongs to, such as ``"Stage 1"``.
    errors : tuple of float
        ``||W - W'|| / ||W||`` after each stage, or of each block.
    kind : {"stage", "block"}
        Stages follow one another; blocks lie side by side.

    Raises
    ------
    ValueError
        If there are not as many errors as labels, or one is negative.
    """

    labels: tuple[str, ...]
    errors: tuple[float, ...]
    kind: Literal["stage", "block"] = "stage"

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.errors):
            raise ValueError(
                f"errors must be one for each of the {len(self.labels)} labels, "
                f"got {len(self.errors)}"
            )
        if any(not error >= 0 for error in self.errors):
            raise ValueError(f"errors must not be negative, got {min(self.errors)}")
