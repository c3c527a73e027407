"""Weight sharing: clusters by hand, other libraries' k-means, zeros, bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from explorer.compress.coding.bits import index_bits
from explorer.compress.methods.kmeans import cluster_sorted, start_centroids
from explorer.compress.methods.ordering import Cut, Ordering
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share, Shared

kmeans1d = pytest.importorskip("kmeans1d")
INITS = ["linear", "density", "random"]


def draws(seed, n):
    return torch.randn(n, generator=torch.Generator().manual_seed(seed))


def cost(weight, restored):
    return float(((weight.double() - restored.double()) ** 2).sum())


def test_by_hand_two_clusters():
    record = Share(n_clusters=2)(torch.tensor([[10.0, 1.0], [2.0, 9.0]]))
    assert isinstance(record, Shared)
    assert record.restore().tolist() == [[9.5, 1.5], [1.5, 9.5]]
    assert record.codes.tolist() == [1, 0, 0, 1]
    # Four codes of one bit, two float32 centroids.
    assert record.field_bits == (0, 4, 64)


def test_by_hand_empty_clusters_are_not_stored():
    record = Share(n_clusters=8)(torch.tensor([1.0, 1.0, 5.0]))
    assert record.restore().tolist() == [1, 1, 5]
    assert record.field_bits == (0, 3, 64)


@pytest.mark.parametrize(
    ("n", "bits"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (256, 8), (257, 9)]
)
def test_bits_of_an_index(n, bits):
    assert index_bits(n) == bits


def plain_lloyd(values, centroids):
    """Lloyd's iteration as the textbook has it: all distances, then all means."""
    before = None
    while True:
        codes = np.abs(values[:, None] - centroids).argmin(1)
        if before is not None and (codes == before).all():
            return centroids, codes
        before = codes
        for code in np.unique(codes):
            centroids[code] = values[codes == code].mean()


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("k", [1, 2, 7, 32, 64])
@pytest.mark.parametrize("seed", [0, 1])
def test_same_clusters_as_the_plain_iteration_also_where_some_run_empty(init, k, seed):
    weight = draws(seed, 2000)
    ordering = Ordering(weight.numpy())
    start = start_centroids(ordering, Cut.nothing(), k, init)
    centroids, codes = plain_lloyd(weight.double().numpy(), start)
    ours = cluster_sorted(ordering, Cut.nothing(), k, init, refine=False)
    np.testing.assert_allclose(ours.centroids, centroids[np.unique(codes)], atol=1e-5)


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("k", [2, 5, 16])
def test_same_clusters_as_scikit_learn_from_the_same_start(init, k):
    weight = draws(k, 3000)
    ordering = Ordering(weight.numpy())
    start = start_centroids(ordering, Cut.nothing(), k, init)
    ours = cluster_sorted(ordering, Cut.nothing(), k, init, refine=False)
    theirs = KMeans(k, init=start[:, None], n_init=1, tol=0, max_iter=300, algorithm="lloyd")
    theirs.fit(weight.double().numpy()[:, None])
    np.testing.assert_allclose(ours.centroids, np.sort(theirs.cluster_centers_[:, 0]), atol=1e-4)
    ours_cost = cost(weight, Share(k, init, refine=False)(weight).restore())
    assert ours_cost == pytest.approx(theirs.inertia_, rel=1e-4)


def optimum(weight, k):
    best = kmeans1d.cluster(weight.double().numpy(), k)
    return cost(weight, torch.tensor(best.centroids)[best.clusters])


@pytest.mark.parametrize("init", INITS)
@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 400), st.integers(1, 24))
def test_alone_the_iteration_is_never_better_than_the_optimum_and_refined_it_is_the_optimum(
    init, seed, n, k
):
    weight = draws(seed, n)
    best = optimum(weight, min(k, n))
    alone = cost(weight, Share(k, init, refine=False)(weight).restore())
    assert alone >= best * (1 - 1e-6) - 1e-9
    refined = cost(weight, Share(k, init)(weight).restore())
    assert refined == pytest.approx(best, rel=1e-6, abs=1e-9)


def test_by_hand_the_iteration_alone_comes_to_rest_early():
    # From 1, 11 and 21 the one in the middle wins nothing: 1, 2 and 6 are as near to the first.
    weight = torch.tensor([1.0, 2.0, 6.0, 21.0])
    assert Share(n_clusters=3, refine=False)(weight).restore().tolist() == [3, 3, 3, 21]
    assert Share(n_clusters=3)(weight).restore().tolist() == [1.5, 1.5, 6, 21]


@pytest.mark.parametrize("init", INITS)
@given(st.integers(0, 1000), st.integers(1, 400), st.integers(1, 40))
def test_at_rest_each_weight_is_at_the_nearest_centroid_and_each_centroid_is_a_mean(
    init, seed, n, k
):
    weight = draws(seed, n)
    record = Share(k, init)(weight)
    book, codes = record.codebook.restore().double(), record.codes.long()
    assert len(book) <= k
    assert sorted(codes.unique().tolist()) == list(range(len(book)))
    distance = (weight.double()[:, None] - book).abs()
    own = distance.gather(1, codes[:, None])[:, 0]
    assert float((own - distance.min(1).values).max()) < 1e-6
    for code, centroid in enumerate(book):
        assert float(weight.double()[codes == code].mean()) == pytest.approx(
            float(centroid), abs=1e-6
        )


@pytest.mark.parametrize("init", INITS)
@given(st.integers(0, 1000), st.integers(1, 200), st.integers(1, 40), st.floats(0, 1))
def test_pruned_weights_stay_zero_and_take_no_part(init, seed, n, k, sparsity):
    weight = draws(seed, n)
    pruned = Prune(sparsity=sparsity)(weight)
    record = pruned.then(Share(k, init))
    assert not record.restore()[~pruned.mask].any()
    assert record.codes.numel() == int(pruned.mask.sum())
    if pruned.mask.any() and init != "linear":
        alone = Share(k, init)(weight[pruned.mask])
        torch.testing.assert_close(alone.restore(), record.restore()[pruned.mask])


def test_as_many_clusters_as_weights_keep_them_all():
    weight = draws(3, 200)
    assert torch.equal(Share(200, "density")(weight).restore(), weight)


def test_quantizing_afterwards_quantizes_the_codebook():
    shared = Share(n_clusters=16)(draws(5, 1000))
    record = shared.then(Quantize(bits=8))
    assert torch.equal(record.codes, shared.codes)
    expected = Quantize(bits=8)(shared.codebook.restore()).restore()
    assert torch.equal(record.codebook.restore(), expected)
    assert record.size_bits == 1000 * 4 + 16 * 8 + 64


def test_pruning_afterwards_drops_codes_and_keeps_the_codebook():
    shared = Share(n_clusters=4)(draws(5, 100))
    record = shared.then(Prune(sparsity=0.25))
    assert isinstance(record, Shared)
    assert record.codes.numel() == 75
    assert int((record.restore() == 0).sum()) == 25


@pytest.mark.parametrize("n_clusters", [0, -3, 4097])
def test_numbers_of_clusters_out_of_range_are_refused(n_clusters):
    words = f"Share: n_clusters must be from 1 to 4096; got {n_clusters}"
    with pytest.raises(ValueError, match=words):
        Share(n_clusters=n_clusters)


def test_other_bad_fields_are_refused():
    with pytest.raises(TypeError, match="n_clusters must be an integer; got '8'"):
        Share(n_clusters="8")
    with pytest.raises(ValueError, match="init must be one of 'linear', 'density', 'random'"):
        Share(init="k-means++")


def test_refinement_is_a_yes_or_a_no():
    with pytest.raises(TypeError, match="Share: refine must be True or False; got 1"):
        Share(refine=1)
    assert Share(n_clusters=8).as_dict() == {"step": "Share", "n_clusters": 8}
    assert Share(refine=False).as_dict() == {"step": "Share", "refine": False}


def test_in_words():
    assert Share(n_clusters=16).describe() == "Share 16 values"


def test_even_steps_leap_over_the_pruned_values():
    weight = torch.tensor([-4.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0])
    record = Prune(sparsity=0.25)(weight).then(Share(n_clusters=6))
    assert record.restore().tolist() == [-4, -3, -2, 0, 0, 2, 3, 4]
    assert record.codebook.restore().tolist() == [-4, -3, -2, 2, 3, 4]
