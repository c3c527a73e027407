"""Pictures of a layer whose weights are being trained, made straight from its tensor."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from explorer.compress.ordering import N_BINS
from explorer.compress.plan import Sample
from explorer.compress.weights import as_matrix
from explorer.measure.grid import pooled
from explorer.measure.histogram import Histogram
from explorer.measure.sparsity import SparsityMap

MAX_COUNTED = 1 << 19


def live_histogram(before: Tensor, now: Tensor) -> Histogram:
    """Count a layer's weights before training and now over the same bins.

    Parameters
    ----------
    before : Tensor, any shape, floating point
        Its range sets the bins; weights outside it go to the outermost ones.
    now : Tensor, any shape
        Zeros are left out.

    Returns
    -------
    Histogram
        Of layers with more than 524,288 weights, counts are estimated from every n-th one.
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

    Parameters
    ----------
    weight : Tensor, any shape, floating point

    Returns
    -------
    SparsityMap
    """
    matrix = as_matrix(weight.detach().float().cpu())
    part = Sample.of(matrix)
    kept = pooled((part.values != 0).to(torch.float32).numpy())
    rows, columns = matrix.shape
    fraction = int(matrix.count_nonzero()) / max(1, matrix.numel())
    return SparsityMap(kept, (rows, columns), part.stride, fraction)
