"""How far a matrix is from its original after each stage, or in each block of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np


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


def block_errors(original: np.ndarray, restored: np.ndarray, n_blocks: int) -> StageErrors:
    """Relative error of each of the blocks that a matrix's columns are split into.

    Parameters
    ----------
    original, restored : ndarray, shape (rows, columns)
        The matrix before and after; transpose both where rows are split.
    n_blocks : int
        Blocks, in [1, columns], as equal in width as whole columns allow.

    Raises
    ------
    ValueError
        If `n_blocks` is out of range.
    """
    n_columns = original.shape[1]
    if not 1 <= n_blocks <= n_columns:
        raise ValueError(f"n_blocks must be in [1, {n_columns}], got {n_blocks}")
    starts = np.linspace(0, n_columns, n_blocks + 1).astype(int)
    columns = np.stack([((original - restored) ** 2).sum(0), (original**2).sum(0)])
    lost, whole = np.add.reduceat(columns.astype(np.float64), starts[:-1], axis=1)
    errors = np.sqrt(np.divide(lost, whole, out=np.zeros(n_blocks), where=whole > 0))
    labels = tuple(f"{i + 1}" for i in range(n_blocks))
    return StageErrors(labels, tuple(errors.tolist()), "block")
