"""Where in a layer's matrix the kept weights are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.compress.indexed import IndexedLayer
from explorer.compress.plan import Plan
from explorer.measure.grid import pooled


@dataclass(frozen=True)
class SparsityMap:
    """Fraction of kept weights over a grid laid on a layer's matrix.

    Attributes
    ----------
    kept : ndarray, shape (n_rows, n_columns), float32
        Fraction of kept (nonzero) weights in each cell, in [0, 1].
    matrix_shape : tuple of int
        (rows, columns) of the whole matrix: (out, in * kh * kw) for a kernel.
    stride : int
        1 where every weight was looked at; s where each cell shows one weight in s.
    fraction : float
        Exact fraction of kept weights in the whole layer.
    """

    kept: np.ndarray
    matrix_shape: tuple[int, int]
    stride: int
    fraction: float


def sparsity_map(plan: Plan, layer: IndexedLayer) -> SparsityMap:
    """Lay a grid of at most 128 x 256 cells on a layer's matrix and count what is kept.

    Parameters
    ----------
    plan : Plan
        What is made of the layer.
    layer : IndexedLayer

    Returns
    -------
    SparsityMap
        Of all weights of a matrix up to 512 x 1024; of larger ones, of evenly spaced
        rows and columns, and says so by its stride.
    """
    kept = pooled((plan.sample(layer.sample) != 0).astype(np.float32))
    n_rows, n_columns = layer.matrix.shape
    fraction = plan.n_nonzero / layer.n_weights
    return SparsityMap(kept, (n_rows, n_columns), layer.sample.stride, fraction)
