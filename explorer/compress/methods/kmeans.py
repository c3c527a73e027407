"""k-means of numbers on a line, on sorted values.

Lloyd's iteration assigns each value to the nearest centroid and moves each centroid
to the mean of its values. On a line the values of a cluster are neighbors in sorted
order: the border between two clusters is the midpoint of their centroids, found by
binary search, and a cluster's mean follows from prefix sums. So one iteration costs
O(k log n) in place of O(n k), and gives the same clusters: it is the same iteration,
not an approximation of it.

With many clusters the iteration creeps and comes to rest far above the least error: from an
even start, and 64 clusters of 20,000 normal values, at more than twice of it. The best borders
of a sketch, a few thousand bins that hold the values, are found directly; Lloyd's iteration on
all values then starts from there.

References
----------
Lloyd. "Least squares quantization in PCM". IEEE Transactions on Information Theory, 1982.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.compress.methods.ordering import BLOCK, Cut, Ordering

MAX_ITERATIONS = 300
TOLERANCE = 1e-5
LARGE = 500_000
POLISH_ITERATIONS = 40
EXACT = 4096
BINS_PER_CLUSTER = 16
MIN_BINS = 512


@dataclass(frozen=True)
class Clusters:
    """Clusters of the kept weights.

    `centroids`: shape (k,), float64; means of the clusters, ascending; empty clusters are left out.
    `limits`: shape (k - 1,), float32; a value v belongs to the cluster whose number is the count of
    limits below v. `n_iterations`: iterations until it stood still.
    """

    centroids: np.ndarray
    limits: np.ndarray
    n_iterations: int


def start_centroids(ordering: Ordering, cut: Cut, n_clusters: int, init: str) -> np.ndarray:
    """Place the first centroids among the kept weights.

    `cut`: the pruned ranks. `init`: one of "linear", "density", "random"; evenly over the range of
    the kept weights; at evenly spaced quantiles; or at weights drawn with a fixed seed. Returns:
    shape (n_clusters,), float64, ascending.
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


def cluster_sorted(
    ordering: Ordering, cut: Cut, n_clusters: int, init: str, refine: bool = True
) -> Clusters:
    """Run k-means on the kept weights.

    Weights that take no more than `n_clusters` values anyway keep them.

    `cut`: ranks that are pruned and take no part. `n_clusters`: at least 1. Clusters that end empty
    are dropped. `init`: one of "linear", "density", "random"; see `start_centroids`; only where
    `refine` is False. `refine`: start Lloyd's iteration from the best clusters of the `sketch`. If
    False, it starts as `init` says, and from half a million weights on it first settles on the
    sketch. Returns: Lloyd's iteration ends when no weight changes its cluster, or no centroid moves
    by more than a hundred-thousandth of the weights' range; after 300 iterations at the latest, or
    40 that follow on what the sketch gave.
    """
    from explorer.compress.kernels.sorted import distinct_kept, lloyd_sorted

    if cut.n_pruned == ordering.n:
        return Clusters(np.empty(0), np.empty(0, np.float32), 0)
    distinct = distinct_kept(ordering.values, cut.start, cut.stop, max(EXACT, 4 * n_clusters))
    if 0 < distinct.size <= n_clusters:
        return Clusters(distinct.astype(np.float64), distinct[:-1], 0)
    first, last = _kept_range(ordering, cut)
    tolerance, most = TOLERANCE * (last - first), POLISH_ITERATIONS
    if refine:
        centroids = _best_of_sketch(ordering, cut, n_clusters, distinct)
    else:
        centroids = start_centroids(ordering, cut, n_clusters, init)
        if ordering.n - cut.n_pruned >= LARGE:
            _settle_roughly(ordering, cut, centroids, tolerance)
        else:
            most = MAX_ITERATIONS
    limits, ranks, n_iterations = lloyd_sorted(
        ordering.values,
        *ordering.block_sums,
        BLOCK,
        cut.start,
        cut.stop,
        centroids,
        tolerance,
        most,
    )
    used = np.flatnonzero(np.diff(ranks))
    return Clusters(centroids[used], limits[used[1:] - 1], n_iterations)


def _best_of_sketch(
    ordering: Ordering, cut: Cut, n_clusters: int, distinct: np.ndarray
) -> np.ndarray:
    """Return the centroids of least squared error, of the distinct weights if these are few."""
    from explorer.compress.kernels.partition import least_error_borders
    from explorer.compress.kernels.sorted import kept_ranks_above

    if distinct.size:
        above = kept_ranks_above(ordering.values, cut.start, cut.stop, distinct)
        ranks = np.concatenate([[0], above])
        sums = ordering.kept_sums(cut, ranks)[0]
    else:
        ranks, sums = sketch(ordering, cut, max(MIN_BINS, BINS_PER_CLUSTER * n_clusters))
    counts = np.diff(ranks)
    points = np.diff(sums) / counts
    points -= points[points.size // 2]
    before, total, squares = (_prefixes(counts * points**power) for power in (0, 1, 2))
    borders = least_error_borders(before, total, squares, n_clusters)
    return np.diff(sums[borders]) / np.diff(ranks[borders])


def _prefixes(parts: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(parts)])


def _settle_roughly(ordering: Ordering, cut: Cut, centroids: np.ndarray, tolerance: float) -> None:
    """Let centroids settle on the sketch, in place."""
    from explorer.compress.kernels.sorted import lloyd_weighted

    ranks, sums = sketch(ordering, cut, EXACT)
    points = np.diff(sums) / np.diff(ranks)
    lloyd_weighted(points, ranks, sums, centroids, tolerance, MAX_ITERATIONS)


def sketch(ordering: Ordering, cut: Cut, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide the kept weights into narrow bins.

    Starting from one, bins are halved, by rank, that have more than their share of the bound
    ``count * width ** 2`` on the squared error. So they end narrow where weights are dense,
    with outliers on their own and a border in each wide gap.

    `cut`: ranks that are left out. `n_bins`: at least so many, and less than twice as many, unless
    the weights take fewer values. Returns: `ranks`: shape (m + 1,), int64; kept weights below each
    bin, strictly ascending, and their number last; `sums`: shape (m + 1,), float64; sum of the kept
    weights below each bin.
    """
    ranks = np.array([0, ordering.n - cut.n_pruned])
    while ranks.size <= n_bins:
        counts = np.diff(ranks)
        ends = np.stack([ranks[:-1], ranks[1:] - 1])
        ends += np.where(ends >= cut.start, cut.n_pruned, 0)
        first, last = ordering.values[ends].astype(np.float64)
        bounds = counts * (last - first) ** 2
        wide = np.flatnonzero(bounds > bounds.sum() / n_bins)
        if not wide.size:
            break
        ranks = np.insert(ranks, wide + 1, ranks[wide] + counts[wide] // 2)
    return ranks, ordering.kept_sums(cut, ranks)[0]
