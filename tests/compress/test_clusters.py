"""Clusters of large layers: from a fine histogram to nearly the plain iteration's cost."""

import numpy as np
import pytest

from explorer.compress import clusters as module
from explorer.compress.clusters import cluster_sorted
from explorer.compress.ordering import Cut, Ordering


def cost(values, clusters):
    levels = clusters.centroids[np.searchsorted(clusters.limits, values)]
    return float(((values - levels) ** 2).sum())


@pytest.mark.parametrize("sparsity", [0.0, 0.7])
@pytest.mark.parametrize("draw", ["normal", "uniform"])
@pytest.mark.parametrize("k", [4, 32, 200])
def test_the_rough_start_costs_little(monkeypatch, draw, k, sparsity):
    weight = getattr(np.random.default_rng(0), draw)(size=50_000).astype(np.float32)
    ordering = Ordering(weight)
    cut = ordering.cut_smallest(round(sparsity * weight.size))
    kept = np.delete(ordering.values, slice(cut.start, cut.stop)).astype(np.float64)
    plain = cost(kept, cluster_sorted(ordering, cut, k, "linear"))
    monkeypatch.setattr(module, "LARGE", 1)
    settled = cluster_sorted(ordering, cut, k, "linear")
    assert settled.n_iterations <= module.POLISH_ITERATIONS
    assert cost(kept, settled) <= 1.05 * plain


def test_the_sketch_of_kept_weights_adds_up():
    ordering = Ordering(np.arange(-5, 7, dtype=np.float32))
    for cut in (Cut.nothing(), ordering.cut_smallest(4), ordering.cut_smallest(12)):
        kept = np.delete(ordering.values, slice(cut.start, cut.stop))
        ranks, sums = ordering.kept_sketch(cut)
        assert ranks[0] == 0
        assert ranks[-1] == kept.size
        assert sums.tolist() == [kept[:rank].sum() for rank in ranks]
