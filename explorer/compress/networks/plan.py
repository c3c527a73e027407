"""Plans: what a layer's steps make of it, known exactly before a single weight is rewritten."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from explorer.compress.methods.ordering import Cut, Ordering
from explorer.compress.methods.prune import magnitude_mask
from explorer.compress.methods.quantizer import ScalarQuantizer
from explorer.compress.methods.thresholding import (
    kept_ties,
    shrink,
    shrink_noting_ties,
    tie_positions,
)
from explorer.compress.records.coded import Sparse
from explorer.compress.records.record import Dense, Record
from explorer.compress.records.spec import Layout, TensorSpec

if TYPE_CHECKING:
    from explorer.compress.records.record import Record
    from explorer.compress.records.spec import Layout


WHOLE_ROWS, WHOLE_COLUMNS = 512, 1024


@dataclass(frozen=True)
class Sample:
    """Evenly spaced rows and columns of a layer's matrix.

    `rows`, `columns`: Which. `values`: the original weights there.
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

    `n_nonzero`: weights that are not zero after compression. `field_bits`: exact bits of each field
    in the file. `squared_error`: squared Frobenius norm of the change. `threshold`: largest
    magnitude pruned; None where nothing was. `levels`: values that kept weights share.
    `level_counts`: how many weights share each of `levels`. `rank`: rank of a factored layer.
    `record`: what the file will hold, where it is made already. `exact`: false while figures come
    from a randomized factorization.
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


class ValuePlan(Plan):
    """A layer compressed weight by weight: cut by magnitude, then coded by value.

    `quantizer`: none keeps the values of the kept weights as they are. `pruned`: whether a step
    pruned; if not, an uncoded layer is written densely.
    """

    def __init__(
        self,
        ordering: Ordering,
        cut: Cut,
        quantizer: ScalarQuantizer | None,
        dtype: torch.dtype,
        pruned: bool,
    ) -> None:
        self._ordering = ordering
        self._cut = cut
        self._quantizer = quantizer
        self._pruned = pruned
        self._n_kept = ordering.n - cut.n_pruned
        n_zeros = ordering.zeros[1] - ordering.zeros[0]
        self.threshold = cut.threshold if cut.n_pruned > n_zeros else None
        if quantizer is None:
            self.n_nonzero = min(self._n_kept, ordering.n - n_zeros)
        else:
            used = quantizer.counts > 0
            self.levels, self.level_counts = quantizer.levels[used], quantizer.counts[used]
            self.n_nonzero = int(quantizer.counts[quantizer.levels != 0].sum())
        self.field_bits = TensorSpec(self.layout, torch.Size([ordering.n]), dtype).field_bits

    @property
    def layout(self) -> Layout:
        """What the file's header says of the layer."""
        if self._quantizer is not None:
            return Layout.of(self._quantizer.makes, **self._quantizer.meta, kept=self._n_kept)
        return Layout.of(Sparse, kept=self._n_kept) if self._pruned else Layout.of(Dense)

    @cached_property
    def squared_error(self) -> float:
        """Pruned weights count with their square, coded ones with their distance."""
        n_kept = np.array([self._n_kept])
        kept = float(self._ordering.kept_sums(self._cut, n_kept)[1][0])
        pruned = max(0.0, self._ordering.squared_norm - kept) if self._cut.n_pruned else 0.0
        return pruned + (self._quantizer.squared_error() if self._quantizer else 0.0)

    def made_record(self, weight: Tensor) -> Record:
        """Compress the layer's `weight`, of its own type, into the record of this plan."""
        mask = magnitude_mask(weight, self._cut) if self._n_kept < self._ordering.n else None
        if self._quantizer is not None:
            return self._quantizer.record(weight, mask)
        if not self._pruned:
            return Dense(weight)
        every = torch.ones(weight.shape, dtype=torch.bool)
        return Sparse.of(weight, every if mask is None else mask)

    def histogram(self) -> np.ndarray:
        """Kept weights in each bin."""
        if self._quantizer is None:
            edges, cut = self._ordering.edge_ranks, self._cut
            return np.diff(edges - (np.clip(edges, cut.start, cut.stop) - cut.start))
        return bin_levels(self._ordering.edges, self._quantizer.levels, self._quantizer.counts)

    def write(self, source: Tensor, out: Tensor) -> None:
        """Write the compressed weights into `out`."""
        if self._quantizer is None and self._cut.splits_ties:
            ties = shrink_noting_ties(source, out, self._cut)
            self._map(source, out, kept_ties(source, ties, self._cut))
            return
        self._map(source, out)
        if self._cut.splits_ties:
            ties = tie_positions(source, self._cut)
            self._map(source, out, kept_ties(source, ties, self._cut))

    def _map(self, source: Tensor, out: Tensor, positions: np.ndarray | None = None) -> None:
        """Write all weights with the cut, or those at `positions` without it."""
        threshold = self._cut.threshold
        flat, into = source.view(-1), out.view(-1)
        if positions is not None:
            threshold, chosen = -1.0, torch.from_numpy(positions)
            flat, into = flat[chosen], torch.empty(len(positions))
        if self._quantizer is not None:
            self._quantizer.write(flat.numpy(), into.numpy(), threshold)
        elif self._pruned and threshold >= 0:
            shrink(flat, into, threshold)
        else:
            into.copy_(flat)
        if positions is not None:
            out.view(-1)[chosen] = into

    def sample(self, part: Sample) -> np.ndarray:
        """Compressed weights of part of the matrix; split ties count as kept."""
        out = torch.empty_like(part.values)
        self._map(part.values, out)
        if self._cut.splits_ties:
            self._map(part.values, out, tie_positions(part.values, self._cut))
        return out.numpy()
