"""k-means of numbers on a line, on sorted values.

Lloyd's iteration assigns each value to the nearest centroid and moves each centroid
to the mean of its values. On a line the values of a cluster are neighbors in sorted
order: the border between two clusters is the midpoint of their centroids, found by
binary search, and a cluster's mean follows from prefix sums. So one iteration costs
O(k log n) in place of O(n k), and gives the same clusters: it is the same iteration,
not an approximation of it.

References
----------
Lloyd. "Least squares quantization in PCM". IEEE Transactions on Information Theory, 1982.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.compress.ordering import BLOCK, Cut, Ordering

MAX_ITERATIONS = 300
TOLERANCE = 1e-5
LARGE = 500_000
POLISH_ITERATIONS = 40


@dataclass(frozen=True)
class Clusters:
    """Clusters of the kept weights.

    Attributes
    ----------
    centroids : ndarray, shape (k,), float64
        Means of the clusters, ascending; empty clusters are left out.
    limits : ndarray, shape (k - 1,), float32
        A value v belongs to the cluster whose number is the count of limits below v.
    n_iterations : int
        Iterations until it stood still.
    """

    centroids: np.ndarray
    limits: np.ndarray
    n_iterations: int


def start_centroids(ordering: Ordering, cut: Cut, n_clusters: int, init: str) -> np.ndarray:
    """Place the first centroids among the kept weights.

    Parameters
    ----------
    ordering : Ordering
    cut : Cut
        The pruned ranks.
    n_clusters : int
    init : {"linear", "density", "random"}
        Evenly over the range of the kept weights; at evenly spaced
        quantiles; or at weights drawn with a fixed seed.

    Returns
    -------
    ndarray, shape (n_clusters,), float64, ascending
    """
    n_kept = ordering.n - cut.n_pruned
    if init == "linear":
        return _even_steps(ordering, cut, n_clusters)
    if init == "density":
        ranks = ((np.arange(n_clusters) + 0.5) / n_clusters * n_kept).astype(np.int64)
    else:
        ranks = np.sort(np.random.default_rng(0).integers(0, n_kept, n_clusters))
    ranks[ranks >= cut.start] += cut.n_pruned
    return ordering.values[ranks].astype(np.float64)


def _even_steps(ordering: Ordering, cut: Cut, n_clusters: int) -> np.ndarray:
    """Even steps over the values that are kept, leaping over the pruned ones."""
    values = ordering.values
    first, last = _kept_range(ordering, cut)
    if not (0 < cut.start <= cut.stop < ordering.n):
        return np.linspace(first, last, n_clusters)
    below, above = float(values[cut.start - 1]), float(values[cut.stop])
    gap = above - below if cut.n_pruned else 0.0
    steps = np.linspace(first, last - gap, n_clusters)
    return np.where(steps > below, steps + gap, steps)


def _kept_range(ordering: Ordering, cut: Cut) -> tuple[float, float]:
    first = ordering.values[0 if cut.start > 0 else cut.stop]
    last = ordering.values[-1 if cut.stop < ordering.n else cut.start - 1]
    return float(first), float(last)


def cluster_sorted(ordering: Ordering, cut: Cut, n_clusters: int, init: str) -> Clusters:
    """Run k-means on the kept weights until it stands still.

    Weights that take no more than `n_clusters` values anyway keep them.

    That is when no weight changes its cluster, or no centroid moves by more than a
    hundred-thousandth of the weights' range; after 300 iterations at the latest. From
    half a million weights on, the centroids first settle on a fine histogram of the weights, and
    at most 40 iterations on all of them follow.

    Parameters
    ----------
    ordering : Ordering
    cut : Cut
        Ranks that are pruned and take no part.
    n_clusters : int
        At least 1. Clusters that end empty are dropped.
    init : {"linear", "density", "random"}
        See `start_centroids`.

    Returns
    -------
    Clusters
    """
    from explorer.compress.kernels import distinct_kept, lloyd_sorted

    if cut.n_pruned == ordering.n:
        return Clusters(np.empty(0), np.empty(0, np.float32), 0)
    distinct = distinct_kept(ordering.values, cut.start, cut.stop, n_clusters)
    if distinct.size:
        return Clusters(distinct.astype(np.float64), distinct[:-1], 0)
    centroids = start_centroids(ordering, cut, n_clusters, init)
    first, last = _kept_range(ordering, cut)
    tolerance, most = TOLERANCE * (last - first), MAX_ITERATIONS
    if ordering.n - cut.n_pruned >= LARGE:
        _settle_roughly(ordering, cut, centroids, tolerance)
        most = POLISH_ITERATIONS
    sums = ordering.block_sums
    limits, ranks, n_iterations = lloyd_sorted(
        ordering.values, *sums, BLOCK, cut.start, cut.stop, centroids, tolerance, most
    )
    used = np.flatnonzero(np.diff(ranks))
    return Clusters(centroids[used], limits[used[1:] - 1], n_iterations)


def _settle_roughly(ordering: Ordering, cut: Cut, centroids: np.ndarray, tolerance: float) -> None:
    """Let centroids settle on a histogram of 4,096 even bins, in place."""
    from explorer.compress.kernels import lloyd_weighted

    ranks, sums = ordering.kept_sketch(cut)
    points = np.diff(sums) / np.diff(ranks)
    lloyd_weighted(points, ranks, sums, centroids, tolerance, MAX_ITERATIONS)
