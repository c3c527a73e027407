"""The distribution of a layer's weights, before and after compression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.compress.ordering import Ordering
from explorer.compress.plan import Plan


@dataclass(frozen=True)
class Histogram:
    """Counts of a layer's weights over equal bins, before and after compression.

    Attributes
    ----------
    edges : ndarray, shape (n_bins + 1,), float64
        Bin edges in the weights' own unit; they span the original weights.
    before : ndarray, shape (n_bins,), int64
        Original weights in each bin.
    after : ndarray, shape (n_bins,), int64
        Compressed weights in each bin; weights that were pruned are left out.
    threshold : float or None
        Magnitude at or below which weights were pruned; None where nothing was.
    levels : ndarray, shape (n_levels,), float32, or None
        The values that the kept weights share (centroids, quantization levels);
        None where weights keep values of their own.
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

    Parameters
    ----------
    plan : Plan
        What is made of the layer.
    ordering : Ordering
        Its sorted original weights.

    Returns
    -------
    Histogram
    """
    before = np.diff(ordering.edge_ranks)
    return Histogram(ordering.edges, before, plan.histogram(), plan.threshold, plan.levels)
