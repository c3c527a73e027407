"""Singular values of a layer, and errors by stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.compress.methods.low_rank import break_even_rank
from explorer.compress.methods.svd import Factors
from explorer.measure.thinned import evenly


@dataclass(frozen=True)
class Spectrum:
    """Singular values of a layer's matrix.

    `values`: shape (n_values,), float32; singular values, largest first; may hold only the leading
    ones. `rank`: how many are kept by the recipe; None where the layer is not factored.
    `full_rank`: min(rows, columns) of the matrix. `break_even`: largest rank k at which k (m + n +
    1) numbers are no more than m n. `exact`: false while `values` come from a randomized
    factorization.
    """

    values: np.ndarray
    rank: int | None
    full_rank: int
    break_even: int
    exact: bool = True

    def drawn(self, most: int) -> np.ndarray:
        """Return at most `most` of the ranks from 1 on that have a value, ends included."""
        return 1 + evenly(len(self.values), most)

    def kept(self, most: int) -> np.ndarray:
        """Return at most `most` of the ranks that are kept, ends included; none if unfactored."""
        if self.rank is None:
            return np.zeros(0, dtype=np.int64)
        return 1 + evenly(max(1, min(self.rank, len(self.values))), most)


def spectrum(factors: Factors, rank: int | None) -> Spectrum:
    """Draw up a layer's spectrum from its factors.

    `rank`: how many singular values the recipe keeps.
    """
    n_rows, n_columns = len(factors.left), factors.right.shape[1]
    return Spectrum(
        factors.singular_values.numpy(),
        rank,
        min(n_rows, n_columns),
        break_even_rank(n_rows, n_columns),
        factors.exact,
    )


@dataclass(frozen=True)
class StageErrors:
    """Relative Frobenius errors, one a stage or one a block.

    `labels`: what each error belongs to, such as ``"Stage 1"``. `errors`: ``||W - W'|| / ||W||``
    after each stage, or of each block. `kind`: one of "stage", "block"; stages follow one another;
    blocks lie side by side. Raises ValueError if there are not as many errors as labels, or one is
    negative.
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
