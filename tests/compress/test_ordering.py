"""The index of sorted weights against counting and summing them one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods.ordering import N_BINS, Cut, Ordering, magnitude_of_rank

weights = st.builds(
    lambda seed, n, coarse: (
        np.round(np.random.default_rng(seed).normal(size=n) * coarse) / coarse
    ).astype(np.float32),
    st.integers(0, 1000),
    st.integers(1, 1200),
    st.sampled_from([2, 1_000_000]),
)


@given(weights, st.floats(0, 2, width=32))
def test_counts_within_a_magnitude(weight, magnitude):
    found = Ordering(weight).count_within(np.float32(magnitude))
    assert found == int((np.abs(weight) <= np.float32(magnitude)).sum())


@given(weights, st.floats(0, 1))
def test_the_magnitude_of_a_rank_is_that_of_sorted_magnitudes(weight, share):
    count = max(1, round(share * weight.size))
    assert magnitude_of_rank((Ordering(weight),), count) == np.sort(np.abs(weight))[count - 1]


@given(weights, weights, st.floats(0, 1))
def test_the_magnitude_of_a_rank_among_two_layers(first, second, share):
    both = np.sort(np.abs(np.concatenate([first, second])))
    count = max(1, round(share * both.size))
    assert magnitude_of_rank((Ordering(first), Ordering(second)), count) == both[count - 1]


@given(weights, st.floats(0, 1), st.floats(0, 1))
def test_sums_of_what_a_cut_keeps(weight, sparsity, share):
    ordering = Ordering(weight)
    cut = ordering.cut_smallest(round(sparsity * weight.size))
    kept = np.delete(np.sort(weight), slice(cut.start, cut.stop)).astype(np.float64)
    ranks = np.array([0, round(share * kept.size), kept.size])
    sums, squares = ordering.kept_sums(cut, ranks)
    np.testing.assert_allclose(sums, [kept[:r].sum() for r in ranks], atol=1e-9)
    np.testing.assert_allclose(squares, [(kept[:r] ** 2).sum() for r in ranks], atol=1e-9)


@given(weights, st.integers(0, 1200))
def test_a_cut_is_exact(weight, count):
    ordering = Ordering(weight)
    count = min(count, weight.size)
    cut = ordering.cut_smallest(count)
    assert cut.n_pruned == max(count, int((weight == 0).sum()))
    assert Cut.nothing().n_pruned == 0


@given(weights)
def test_bins_span_the_weights_and_count_them_all(weight):
    ordering = Ordering(weight)
    assert len(ordering.edges) == N_BINS + 1
    assert ordering.edges[0] <= weight.min() <= weight.max() <= ordering.edges[-1]
    np.testing.assert_array_equal(
        np.diff(ordering.edge_ranks),
        np.histogram(weight.astype(np.float64), ordering.edges)[0],
    )
