"""Sparsity map, error map and histogram of a layer, pooled to a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.compress.methods.ordering import N_BINS, Ordering
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plan import Plan, Sample
from explorer.compress.records.record import as_matrix

GRID_ROWS, GRID_COLUMNS = 128, 256


def pooled(matrix: np.ndarray) -> np.ndarray:
    """Average a matrix over a grid of at most 128 x 256 cells.

    `matrix`: shape (rows, columns), float32. Returns: shape (min(rows, 128), min(columns, 256)),
    float32; cells are as equal in size as whole rows and columns allow.
    """
    for axis, limit in enumerate((GRID_ROWS, GRID_COLUMNS)):
        size = matrix.shape[axis]
        if size <= limit:
            continue
        starts = np.linspace(0, size, limit + 1).astype(int)
        shape = (-1, 1) if axis == 0 else (1, -1)
        matrix = np.add.reduceat(matrix, starts[:-1], axis) / np.diff(starts).reshape(shape)
    return matrix.astype(np.float32)


@dataclass(frozen=True)
class SparsityMap:
    """Fraction of kept weights over a grid laid on a layer's matrix.

    `kept`: shape (n_rows, n_columns), float32; fraction of kept (nonzero) weights in each cell, in
    [0, 1]. `matrix_shape`: (rows, columns) of the whole matrix: (out, in * kh * kw) for a kernel.
    `stride`: 1 where every weight was looked at; s where each cell shows one weight in s.
    `fraction`: exact fraction of kept weights in the whole layer.
    """

    kept: np.ndarray
    matrix_shape: tuple[int, int]
    stride: int
    fraction: float


def sparsity_map(plan: Plan, layer: IndexedLayer) -> SparsityMap:
    """Lay a grid of at most 128 x 256 cells on a layer's matrix and count what is kept.

    `plan`: what is made of the layer. Returns: of all weights of a matrix up to 512 x 1024; of
    larger ones, of evenly spaced rows and columns, and says so by its stride.
    """
    kept = pooled((plan.sample(layer.sample) != 0).astype(np.float32))
    n_rows, n_columns = layer.matrix.shape
    fraction = plan.n_nonzero / layer.n_weights
    return SparsityMap(kept, (n_rows, n_columns), layer.sample.stride, fraction)


@dataclass(frozen=True)
class ErrorMap:
    """Mean absolute error over a grid laid on a layer's matrix.

    `values`: shape (n_rows, n_columns), float32; mean of ``|W - W'|`` in each cell. `scale`: the
    error that is drawn in full color, in the weights' own unit. `relative_error`: ``||W - W'|| /
    ||W||`` (Frobenius) of the whole layer. `shape`: (rows, columns) of the whole matrix. `stride`:
    1 where every weight was looked at; s where one in s was.
    """

    values: np.ndarray
    scale: float
    relative_error: float
    shape: tuple[int, int]
    stride: int = 1


def error_map(
    original: np.ndarray,
    restored: np.ndarray,
    shape: tuple[int, int] | None = None,
    relative_error: float | None = None,
    stride: int = 1,
) -> ErrorMap:
    """Lay a grid of at most 128 x 256 cells on the difference of two matrices.

    Full color stands for an error as large as the typical weight: the root of the mean
    square of `original`, so that the scale stays where it is while a dial moves.

    `original`, `restored`: shape (rows, columns), float32; the same part of the matrix before and
    after compression. `shape`: (rows, columns) of the whole matrix; that of `original` where it is
    all. `relative_error`: of the whole layer; that of the part where it is not known. `stride`: one
    weight in so many is in the part. Raises ValueError if the two do not have the same shape, or
    have none.
    """
    if original.shape != restored.shape or original.ndim != 2 or not original.size:
        raise ValueError(
            f"original and restored must be matrices of one shape, got {original.shape} "
            f"and {restored.shape}: take the same rows and columns of both"
        )
    original = original.astype(np.float64)
    difference = np.abs(original - restored)
    norm = float(np.linalg.norm(original))
    if relative_error is None:
        relative_error = float(np.linalg.norm(difference)) / norm if norm else 0.0
    scale = norm / original.size**0.5 or 1.0
    n_rows, n_columns = shape or original.shape
    drawn = pooled(np.minimum(difference, np.finfo(np.float32).max))
    return ErrorMap(drawn, scale, relative_error, (n_rows, n_columns), stride)


@dataclass(frozen=True)
class Histogram:
    """Counts of a layer's weights over equal bins, before and after compression.

    `edges`: shape (n_bins + 1,), float64; bin edges in the weights' own unit; they span the
    original weights. `before`: shape (n_bins,), int64; original weights in each bin. `after`: shape
    (n_bins,), int64; compressed weights in each bin; weights that were pruned are left out.
    `threshold`: magnitude at or below which weights were pruned; None where nothing was. `levels`:
    shape (n_levels,), float32, or None; the values that the kept weights share (centroids,
    quantization levels); None where weights keep values of their own.
    """

    edges: np.ndarray
    before: np.ndarray
    after: np.ndarray
    threshold: float | None = None
    levels: np.ndarray | None = None

    @property
    def centers(self) -> np.ndarray:
        """Middles of the bins, shape (n_bins,)."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    @property
    def n_before(self) -> int:
        """Original weights in all bins."""
        return int(self.before.sum())

    @property
    def n_after(self) -> int:
        """Compressed weights in all bins."""
        return int(self.after.sum())


def histogram(plan: Plan, ordering: Ordering) -> Histogram:
    """Draw up a layer's histogram from its index.

    `plan`: what is made of the layer. `ordering`: its sorted original weights.
    """
    before = np.diff(ordering.edge_ranks)
    return Histogram(ordering.edges, before, plan.histogram(), plan.threshold, plan.levels)


MAX_COUNTED = 1 << 19


def live_histogram(before: Tensor, now: Tensor) -> Histogram:
    """Count a layer's weights before training and now over the same bins.

    `before`: any shape, floating point; its range sets the bins; weights outside it go to the
    outermost ones. `now`: any shape; zeros are left out. Returns: of layers with more than 524,288
    weights, counts are estimated from every n-th one.
    """
    old, old_stride = _thinned(before)
    new, new_stride = _thinned(now)
    low, high = float(old.min()), float(old.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, N_BINS + 1)
    new = np.clip(new[new != 0], low, high)
    return Histogram(
        edges, _counts(old, low, high) * old_stride, _counts(new, low, high) * new_stride
    )


def _thinned(weight: Tensor) -> tuple[np.ndarray, int]:
    flat = weight.detach().flatten()
    stride = -(-flat.numel() // MAX_COUNTED)
    return flat[::stride].float().cpu().numpy(), stride


def _counts(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.histogram(values, N_BINS, (low, high))[0].astype(np.int64)


def live_sparsity(weight: Tensor) -> SparsityMap:
    """Lay a grid of at most 128 x 256 cells on a layer's matrix and count its nonzero weights.

    `weight`: any shape, floating point.
    """
    matrix = as_matrix(weight.detach().float().cpu())
    part = Sample.of(matrix)
    kept = pooled((part.values != 0).to(torch.float32).numpy())
    rows, columns = matrix.shape
    fraction = int(matrix.count_nonzero()) / max(1, matrix.numel())
    return SparsityMap(kept, (rows, columns), part.stride, fraction)
