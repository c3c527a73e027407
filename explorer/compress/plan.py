"""Plans: what a layer's steps make of it, known exactly before a single weight is rewritten."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.compress.coding import Coding, as_array
from explorer.compress.factors import Factors
from explorer.compress.low_rank import low_rank_fields, low_rank_layout
from explorer.compress.ordering import Cut, Ordering
from explorer.compress.prune import pruned_fields
from explorer.compress.record import Record, coded_fields
from explorer.compress.threads import over_chunks
from explorer.compress.weights import as_matrix

TIES_BUFFER = 4096
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
    rank : int or None
        Rank of a factored layer.
    exact : bool
        False while figures come from a randomized factorization.
    """

    n_nonzero: int
    field_bits: tuple[int, ...]
    threshold: float | None = None
    levels: np.ndarray | None = None
    rank: int | None = None
    exact: bool = True

    @property
    @abstractmethod
    def layout(self) -> dict[str, Any]:
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


@dataclass(frozen=True)
class _Runs:
    """Kept ranks at which the bins of the histogram start."""

    ordering: Ordering
    cut: Cut

    def bins(self) -> np.ndarray:
        edges = self.ordering.edge_ranks
        gone = np.clip(edges, self.cut.start, self.cut.stop) - self.cut.start
        return np.diff(edges - gone)


class ValuePlan(Plan):
    """A layer compressed weight by weight: cut by magnitude, then coded by value.

    Parameters
    ----------
    ordering : Ordering
    cut : Cut
    coding : Coding or None
        None keeps the values of the kept weights as they are.
    dtype : torch.dtype
    pruned : bool
        Whether a step pruned; if not, an uncoded layer is written densely.
    """

    def __init__(
        self, ordering: Ordering, cut: Cut, coding: Coding | None, dtype: torch.dtype, pruned: bool
    ) -> None:
        self._ordering = ordering
        self._cut = cut
        self._coding = coding
        self._pruned = pruned
        self._n_kept = ordering.n - cut.n_pruned
        n_zeros = ordering.zeros[1] - ordering.zeros[0]
        self.threshold = cut.threshold if cut.n_pruned > n_zeros else None
        if coding is None:
            bits = dtype.itemsize * 8
            self.n_nonzero = min(self._n_kept, ordering.n - n_zeros)
            self.field_bits = (
                pruned_fields(ordering.n, self._n_kept, bits) if pruned else (ordering.n * bits,)
            )
        else:
            self.levels = coding.levels[coding.counts > 0]
            self.n_nonzero = int(coding.counts[coding.levels != 0].sum())
            self.field_bits = coded_fields(
                ordering.n, self._n_kept, coding.code_bits, coding.table_bits
            )

    @property
    def layout(self) -> dict[str, Any]:
        """What the file's header says of the layer."""
        if self._coding is not None:
            return self._coding.meta | {"kept": self._n_kept}
        return {"kind": "pruned", "kept": self._n_kept} if self._pruned else {"kind": "dense"}

    @cached_property
    def squared_error(self) -> float:
        """Pruned weights count with their square, coded ones with their distance."""
        n_kept = np.array([self._n_kept])
        kept = float(self._ordering.kept_sums(self._cut, n_kept)[1][0])
        pruned = max(0.0, self._ordering.squared_norm - kept) if self._cut.n_pruned else 0.0
        return pruned + (self._coding.squared_error() if self._coding else 0.0)

    def histogram(self) -> np.ndarray:
        """Kept weights in each bin."""
        if self._coding is None:
            return _Runs(self._ordering, self._cut).bins()
        return bin_levels(self._ordering.edges, self._coding.levels, self._coding.counts)

    def write(self, source: Tensor, out: Tensor) -> None:
        """Write the compressed weights into `out`."""
        if self._coding is None and self._cut.splits_ties:
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
        if self._coding is not None:
            self._coding.write(flat.numpy(), into.numpy(), threshold)
        elif threshold > 0:
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


def bin_levels(edges: np.ndarray, levels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Count weights at a few levels into bins; levels outside go to the nearest bin."""
    bins = np.clip(np.searchsorted(edges, levels, "right") - 1, 0, len(edges) - 2)
    return np.bincount(bins, counts, len(edges) - 1).astype(np.int64)


def shrink(source: Tensor, out: Tensor, threshold: float) -> None:
    """Copy flat weights with magnitudes up to `threshold` zeroed."""
    from explorer.compress.kernels import shrink_into

    values, into, limit = source.numpy(), out.numpy(), np.float32(threshold)
    over_chunks(values.size, lambda i: shrink_into(values[i], into[i], limit))


def tie_positions(source: Tensor, cut: Cut) -> np.ndarray:
    """Row-major positions of the weights of the threshold's magnitude."""
    from explorer.compress.kernels import find_magnitude

    flat, limit = source.view(-1).numpy(), np.float32(cut.threshold)
    return _found(flat.size, lambda i, found: find_magnitude(flat[i], limit, found))


def shrink_noting_ties(source: Tensor, out: Tensor, cut: Cut) -> np.ndarray:
    """Write the pruned weights and return `tie_positions`, in one pass."""
    from explorer.compress.kernels import shrink_and_find

    flat, into = source.view(-1).numpy(), out.view(-1).numpy()
    limit = int(np.float32(cut.threshold).view(np.uint32))
    return _found(flat.size, lambda i, found: shrink_and_find(flat[i], into[i], limit, found))


def _found(size: int, find: Callable[[slice, np.ndarray], int]) -> np.ndarray:
    """Collect positions that a loop finds in each part, with a larger buffer if need be."""

    def positions(part: slice) -> np.ndarray:
        found = np.empty(TIES_BUFFER, np.int64)
        count = find(part, found)
        if count > found.size:
            found = np.empty(count, np.int64)
            find(part, found)
        return found[:count] + part.start

    return np.concatenate(over_chunks(size, positions))


def kept_ties(source: Tensor, ties: np.ndarray, cut: Cut) -> np.ndarray:
    """Return those of the `ties` that a cut keeps."""
    values = source.view(-1).numpy()[ties]
    negative, positive = ties[values < 0], ties[values > 0]
    return np.concatenate(
        [
            negative[len(negative) - cut.keep_negative :],
            positive[len(positive) - cut.keep_positive :],
        ]
    )


class LowRankPlan(Plan):
    """A factored layer: everything follows from the cached factors and the rank."""

    def __init__(self, factors: Factors, rank: int, ordering: Ordering, sample: Sample) -> None:
        self._factors = factors
        self._ordering = ordering
        self._sample = sample
        self.rank = rank
        self.exact = factors.exact
        n_rows, n_columns = len(factors.left), factors.right.shape[1]
        self.field_bits = low_rank_fields(n_rows, n_columns, rank)
        self.n_nonzero = factors.n_nonzero(rank)

    @property
    def layout(self) -> dict[str, Any]:
        """What the file's header says of the layer."""
        return low_rank_layout(self.rank or 0, {"kind": "dense"}, {"kind": "dense"})

    @property
    def squared_error(self) -> float:
        """Sum of the squared singular values left out."""
        return self._factors.squared_error(self.rank or 0)

    def histogram(self) -> np.ndarray:
        """Weights of the product in each bin, for a large layer those of a sample scaled up."""
        counts = bin_values(self._ordering.edges, self.sample(self._sample))
        scale = self._ordering.n / self._sample.values.numel()
        return np.round(counts * scale).astype(np.int64)

    def write(self, source: Tensor, out: Tensor) -> None:
        """Write the product of the factors into `out`."""
        self._factors.product_into(self.rank or 0, as_matrix(out))

    def sample(self, part: Sample) -> np.ndarray:
        """Part of the product of the factors."""
        factors, k = self._factors, self.rank or 0
        left = factors.left[part.rows, :k] * factors.values[:k]
        return (left @ factors.right[:k, part.columns]).numpy()


def bin_values(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Count values into bins; those outside go to the nearest bin, zeros are left out."""
    kept = values[values != 0]
    counts = np.histogram(np.clip(kept, edges[0], edges[-1]), edges)[0]
    return counts.astype(np.int64)


class RecordPlan(Plan):
    """A layer compressed by steps that no index serves: the record itself is the plan."""

    def __init__(self, record: Record, source: Tensor, ordering: Ordering) -> None:
        self.record = record
        self._ordering = ordering
        self._values = record.restore().float()
        self._error = float(((self._values.double() - source.double()) ** 2).sum())
        self.field_bits = record.field_bits
        self.n_nonzero = int(torch.count_nonzero(self._values))
        self.rank = getattr(record, "rank", None)

    @property
    def layout(self) -> dict[str, Any]:
        """What the file's header says of the layer."""
        return self.record.layout

    @property
    def squared_error(self) -> float:
        """Squared Frobenius norm of the change."""
        return self._error

    def histogram(self) -> np.ndarray:
        """Kept weights in each bin."""
        return bin_values(self._ordering.edges, as_array(self._values))

    def write(self, source: Tensor, out: Tensor) -> None:
        """Copy the restored weights into `out`."""
        out.copy_(self._values)

    def sample(self, part: Sample) -> np.ndarray:
        """Part of the restored matrix."""
        return as_matrix(self._values)[part.rows, part.columns].numpy()
