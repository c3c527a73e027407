"""Plans: what a layer's steps make of it, known exactly before a single weight is rewritten."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from explorer.compress.promise import Layout
    from explorer.compress.record import Record

WHOLE_ROWS, WHOLE_COLUMNS = 512, 1024


@dataclass(frozen=True)
class Sample:
    """Evenly spaced rows and columns of a layer's matrix.

    Attributes
    ----------
    rows, columns : slice
        Which.
    values : Tensor, contiguous
        The original weights there.
    """

    rows: slice
    columns: slice
    values: Tensor

    @classmethod
    def of(cls, matrix: Tensor) -> Sample:
        """Take all of a matrix up to 512 x 1024, about 256 x 512 weights of a larger one."""
        rows, columns = matrix.shape
        steps = 1, 1
        if rows > WHOLE_ROWS or columns > WHOLE_COLUMNS:
            steps = -(-2 * rows // WHOLE_ROWS), -(-2 * columns // WHOLE_COLUMNS)
        row_part, column_part = (slice(None, None, step) for step in steps)
        return cls(row_part, column_part, matrix[row_part, column_part].contiguous())

    @property
    def stride(self) -> int:
        """One weight in so many is in the sample."""
        return self.rows.step * self.columns.step


class Plan(ABC):
    """Figures of one compressed layer, and the way to write its weights.

    Attributes
    ----------
    n_nonzero : int
        Weights that are not zero after compression.
    field_bits : tuple of int
        Exact bits of each field in the file.
    squared_error : float
        Squared Frobenius norm of the change.
    threshold : float or None
        Largest magnitude pruned; None where nothing was.
    levels : ndarray or None
        Values that kept weights share.
    level_counts : ndarray or None
        How many weights share each of `levels`.
    rank : int or None
        Rank of a factored layer.
    record : Record or None
        What the file will hold, where it is made already.
    exact : bool
        False while figures come from a randomized factorization.
    """

    n_nonzero: int
    field_bits: tuple[int, ...]
    threshold: float | None = None
    levels: np.ndarray | None = None
    level_counts: np.ndarray | None = None
    rank: int | None = None
    record: Record | None = None
    exact: bool = True

    @property
    @abstractmethod
    def layout(self) -> Layout:
        """What the file's header says of the layer, as `Record.layout`."""

    @property
    @abstractmethod
    def squared_error(self) -> float:
        """Squared Frobenius norm of the change."""

    @abstractmethod
    def histogram(self) -> np.ndarray:
        """Kept weights in each bin of the layer's histogram, int64."""

    @abstractmethod
    def write(self, source: Tensor, out: Tensor) -> None:
        """Write the compressed weights of the whole layer into `out`, float32."""

    @abstractmethod
    def sample(self, part: Sample) -> np.ndarray:
        """Compressed weights of part of the layer's matrix, float32."""


def bin_levels(edges: np.ndarray, levels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Count weights at a few levels into bins; levels outside go to the nearest bin."""
    bins = np.clip(np.searchsorted(edges, levels, "right") - 1, 0, len(edges) - 2)
    return np.bincount(bins, counts, len(edges) - 1).astype(np.int64)


def bin_values(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Count values into bins; those outside go to the nearest bin, zeros are left out."""
    kept = values[values != 0]
    counts = np.histogram(np.clip(kept, edges[0], edges[-1]), edges)[0]
    return counts.astype(np.int64)
