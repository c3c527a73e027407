"""Clusters of least error: the optimum by another library, sketches, ties, outliers, gaps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import explorer as ex
from explorer.compress.kernels.partition import least_error_borders
from explorer.compress.methods import kmeans as module
from explorer.compress.methods.kmeans import cluster_sorted, sketch
from explorer.compress.methods.ordering import Cut, Ordering
from explorer.compress.networks.weights import compressible

kmeans1d = pytest.importorskip("kmeans1d")


def cost(values, clusters):
    levels = clusters.centroids[np.searchsorted(clusters.limits, values)]
    return float(((values - levels) ** 2).sum())


def optimum(values, k):
    best = kmeans1d.cluster(values, k)
    return float(((values - np.array(best.centroids)[best.clusters]) ** 2).sum())


def excess(weight, k, sparsity=0.0, init="linear"):
    """By how much the clusters of the kept weights cost more than the best ones, as a fraction."""
    ordering = Ordering(np.asarray(weight, np.float32))
    cut = ordering.cut_smallest(round(sparsity * ordering.n)) if sparsity else Cut.nothing()
    kept = np.delete(ordering.values, slice(cut.start, cut.stop)).astype(np.float64)
    found = cluster_sorted(ordering, cut, k, init)
    assert (np.diff(found.centroids) > 0).all()
    return cost(kept, found) / optimum(kept, k) - 1


def mixture(n):
    random = np.random.default_rng(0)
    return np.concatenate([random.normal(size=n // 2) * 0.01, random.normal(size=n // 2) + 0.5])


DRAWS = {
    "normal": lambda n: np.random.default_rng(0).normal(size=n),
    "laplace": lambda n: np.random.default_rng(0).laplace(size=n),
    "uniform": lambda n: np.random.default_rng(0).uniform(-1, 1, size=n),
    "heavy tails": lambda n: np.random.default_rng(0).standard_t(2, size=n),
    "mixture": mixture,
    "an outlier each side": lambda n: np.append(DRAWS["normal"](n), [1e6, -1e5]),
    "rounded": lambda n: np.round(DRAWS["laplace"](n), 2),
}


@pytest.mark.parametrize("sparsity", [0.0, 0.6, 0.95])
@pytest.mark.parametrize("k", [2, 5, 32, 100, 256])
@pytest.mark.parametrize("n", [200, 2000])
@pytest.mark.parametrize("draw", DRAWS)
def test_few_weights_reach_the_optimum(draw, n, k, sparsity):
    weight = DRAWS[draw](n)
    if k + 1 < (1 - sparsity) * np.unique(np.abs(weight.astype(np.float32))).size:
        assert excess(weight, k, sparsity) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("sparsity", [0.0, 0.6])
@pytest.mark.parametrize("k", [2, 16, 32, 256])
@pytest.mark.parametrize("draw", DRAWS)
def test_many_weights_come_within_a_percent_of_the_optimum(draw, k, sparsity):
    n_kept = 6_000 if k == 256 else 15_000
    assert -1e-6 < excess(DRAWS[draw](round(n_kept / (1 - sparsity))), k, sparsity) < 0.01


@pytest.mark.parametrize(("name", "init"), [("lenet-300-100", "density"), ("lenet-5", "random")])
def test_trained_weights_come_within_a_percent_of_the_optimum(name, init):
    net, _ = ex.load(name)
    for weight in compressible(net).values():
        if weight.numel() < 50_000:
            assert -1e-6 < excess(weight.detach().numpy().ravel(), 32, 0.5, init) < 0.01


def bounded_by_the_last_gap(n, gap):
    """Half of the weights on each side of a gap, as pruning leaves them."""
    half = np.random.default_rng(1).exponential(size=n // 2) + gap
    return np.concatenate([half, -half - 1e-3])


@pytest.mark.parametrize("gap", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("k", [15, 16])
def test_no_cluster_is_spent_on_a_gap(k, gap):
    assert excess(bounded_by_the_last_gap(40_000, gap), k) < 0.01


def test_outliers_take_a_cluster_each_and_blur_nothing():
    plain = DRAWS["normal"](6_000).astype(np.float32)
    ordering = Ordering(np.append(plain, np.float32([1e7, -1e7])))
    found = cluster_sorted(ordering, Cut.nothing(), 102, "linear")
    best = optimum(plain.astype(np.float64), 100)
    assert cost(ordering.values.astype(np.float64), found) < 1.01 * best


@given(
    st.lists(st.integers(-40, 40), min_size=2, max_size=60),
    st.integers(1, 59),
    st.sampled_from([1.0, 1e-3, 7.0]),
)
def test_runs_of_least_error_also_where_values_tie_or_stand_in_even_steps(whole, k, step):
    points, counts = np.unique(whole, return_counts=True)
    if k >= points.size:
        return
    points = points * step
    parts = (counts * points**power for power in (0.0, 1.0, 2.0))
    prefixes = [np.concatenate([[0.0], np.cumsum(part)]) for part in parts]
    borders = least_error_borders(*prefixes, k)
    assert borders[0] == 0
    assert borders[-1] == points.size
    assert borders.size == k + 1
    assert (np.diff(borders) > 0).all()
    codes = np.repeat(np.arange(k), np.diff(borders))
    totals = np.bincount(codes, counts * points) / np.bincount(codes, counts)
    found = float((counts * (points - totals[codes]) ** 2).sum())
    best = optimum(np.repeat(points, counts), k)
    assert found == pytest.approx(best, rel=1e-9, abs=1e-9 * step**2)


def test_every_number_of_runs_of_evenly_spaced_points_is_found():
    # Between 50 and 99 runs each further run saves the same: a pair that is parted.
    points = np.arange(100.0)
    prefixes = [np.concatenate([[0.0], np.cumsum(points**power)]) for power in (0.0, 1.0, 2.0)]
    for k in range(1, 100):
        sizes = np.diff(least_error_borders(*prefixes, k))
        assert sizes.size == k
        assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("k", [4, 32, 200])
@pytest.mark.parametrize("sparsity", [0.0, 0.7])
@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_without_refinement_the_sketch_costs_little_more_than_the_plain_iteration(
    monkeypatch, draw, sparsity, k
):
    ordering = Ordering(DRAWS[draw](50_000).astype(np.float32))
    cut = ordering.cut_smallest(round(sparsity * ordering.n))
    kept = np.delete(ordering.values, slice(cut.start, cut.stop)).astype(np.float64)
    plain = cost(kept, cluster_sorted(ordering, cut, k, "linear", refine=False))
    monkeypatch.setattr(module, "LARGE", 1)
    settled = cluster_sorted(ordering, cut, k, "linear", refine=False)
    assert settled.n_iterations <= module.POLISH_ITERATIONS
    assert cost(kept, settled) <= 1.05 * plain


def test_the_sketch_of_kept_weights_adds_up():
    ordering = Ordering(np.arange(-5, 7, dtype=np.float32))
    for cut in (Cut.nothing(), ordering.cut_smallest(4), ordering.cut_smallest(11)):
        kept = np.delete(ordering.values, slice(cut.start, cut.stop))
        for n_bins in (1, 3, 100):
            ranks, sums = sketch(ordering, cut, n_bins)
            assert ranks[0] == 0
            assert ranks[-1] == kept.size
            assert (np.diff(ranks) > 0).all()
            assert ranks.size > min(n_bins, kept.size)
            assert sums.tolist() == [kept[:rank].sum() for rank in ranks]


def test_by_hand_a_sketch_parts_wide_bins_until_there_are_enough():
    ordering = Ordering(np.array([0, 1, 2, 3, 4, 5, 6, 1000], np.float32))
    # Halves [0..3] and [4..1000]; then the upper one, its upper one, and so the outlier.
    assert sketch(ordering, Cut.nothing(), 4)[0].tolist() == [0, 4, 6, 7, 8]
