"""k-means of vectors: by hand, against faiss and scikit-learn, few and equal points, threads."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from explorer.compress.methods.vector_kmeans import WIDE, cluster_vectors, look_up

faiss = pytest.importorskip("faiss")


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def grouped(n_sets, n_vectors, width, n_groups=40):
    """Points around a few centers, where a bad start costs most."""
    centers = 3 * draws(n_sets, n_groups, width, seed=1)
    places = torch.arange(n_vectors) % n_groups
    return centers[:, places] + draws(n_sets, n_vectors, width)


def cost(vectors, clusters):
    return float((clusters.decode().double() - vectors.double()).square().sum())


sets_of_vectors = st.builds(
    lambda seed, n_sets, n, width: draws(n_sets, n, width, seed=seed),
    st.integers(0, 1000),
    st.integers(1, 4),
    st.integers(1, 60),
    st.sampled_from([1, 2, 3, 5, 8, WIDE, WIDE + 9]),
)


def test_by_hand_two_groups_in_each_of_two_sets():
    points = torch.tensor(
        [
            [[0.0, 0.0], [0.0, 2.0], [9.0, 1.0], [9.0, 3.0]],
            [[5.0, 5.0], [-5.0, 5.0], [5.0, 7.0], [-5.0, 7.0]],
        ]
    )
    clusters = cluster_vectors(points, 2)
    expected = [
        [[0.0, 1.0], [0.0, 1.0], [9.0, 2.0], [9.0, 2.0]],
        [[5.0, 6.0], [-5.0, 6.0], [5.0, 6.0], [-5.0, 6.0]],
    ]
    assert clusters.decode().tolist() == expected
    assert clusters.codes.dtype == torch.uint8
    assert clusters.centroids.shape == (2, 2, 2)


@settings(max_examples=50)
@given(sets_of_vectors, st.integers(1, 70))
def test_each_vector_has_the_nearest_centroid(vectors, k):
    clusters = cluster_vectors(vectors, k)
    distances = torch.cdist(vectors.double(), clusters.centroids.double())
    n_used = [len(codes.unique()) for codes in clusters.codes]
    assert max(n_used) == clusters.centroids.shape[1] <= min(k, vectors.shape[1])
    for own, codes, used in zip(distances, clusters.codes.long(), n_used, strict=True):
        chosen = own.gather(1, codes[:, None])[:, 0]
        assert float((chosen - own[:, :used].min(1).values).max()) <= 1e-5
        assert int(codes.max()) == used - 1


@settings(max_examples=50)
@given(sets_of_vectors)
def test_one_centroid_is_the_mean(vectors):
    clusters = cluster_vectors(vectors, 1)
    torch.testing.assert_close(clusters.centroids[:, 0], vectors.mean(1), atol=1e-6, rtol=1e-5)


@given(sets_of_vectors, st.integers(0, 3))
def test_as_many_centroids_as_vectors_keep_them_all(vectors, more):
    assert torch.equal(cluster_vectors(vectors, vectors.shape[1] + more).decode(), vectors)


@pytest.mark.parametrize("width", [1, 8, WIDE, 200])
@pytest.mark.parametrize("n_distinct", [1, 3, 16])
def test_fewer_distinct_vectors_than_centroids_keep_them_all(width, n_distinct):
    distinct = draws(2, n_distinct, width)
    vectors = distinct[:, torch.arange(500) % n_distinct]
    clusters = cluster_vectors(vectors, 16)
    assert torch.equal(clusters.decode(), vectors)
    assert clusters.centroids.shape[1] == n_distinct


def test_empty_clusters_go_to_the_vectors_that_are_farthest():
    # First centroids are drawn from every second of so many long vectors: 24 distinct
    # ones, so that 40 of 64 clusters start out empty, for the 40 that were passed over.
    distinct = draws(64, 4096)
    places = torch.arange(600) % 24
    places[1:81:2] = torch.arange(24, 64)
    vectors = distinct[places][None]
    assert torch.equal(cluster_vectors(vectors, 64).decode(), vectors)


def test_a_set_with_fewer_clusters_than_another_ends_in_zeros():
    vectors = torch.stack([torch.full((6, 3), 7.0), draws(6, 3)])
    centroids = cluster_vectors(vectors, 4).centroids
    assert centroids[0].tolist() == [[7.0] * 3] + [[0.0] * 3] * 3


@pytest.mark.parametrize("width", [3, WIDE])
@pytest.mark.parametrize("scale", [0.0, 1e-42, 1e-30, 1e30])
def test_very_small_and_very_large_vectors(width, scale):
    vectors = scale * draws(1, 100, width)
    clusters = cluster_vectors(vectors, 100)
    assert torch.equal(clusters.decode(), vectors)
    if scale in (1e-30, 1e30):
        plain = cluster_vectors(draws(1, 100, width), 8)
        scaled = cluster_vectors(vectors, 8)
        error = float((scaled.decode() / scale - draws(1, 100, width)).norm())
        assert error == pytest.approx(cost(draws(1, 100, width), plain) ** 0.5, rel=0.05)


def test_an_offset_far_from_zero_does_not_blur_long_vectors():
    vectors = 1e5 + grouped(1, 2000, 100)
    far = cost(vectors, cluster_vectors(vectors, 40))
    near = cost(vectors - 1e5, cluster_vectors(vectors - 1e5, 40))
    assert far == pytest.approx(near, rel=0.01)


@pytest.mark.parametrize("width", [5, 64, 300])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_same_bits_at_every_call_and_on_any_number_of_threads(width, dtype):
    vectors = draws(3, 1500, width).to(dtype)
    first = cluster_vectors(vectors, 24)
    n_threads = torch.get_num_threads()
    for n in (1, 2, 3):
        torch.set_num_threads(n)
        try:
            again = cluster_vectors(vectors, 24)
        finally:
            torch.set_num_threads(n_threads)
        assert torch.equal(first.codes, again.codes)
        assert torch.equal(first.centroids, again.centroids)
    assert first.centroids.dtype == dtype


def faiss_cost(vectors, k):
    total = 0.0
    for points in vectors.numpy():
        kmeans = faiss.Kmeans(points.shape[1], k, niter=25, min_points_per_centroid=1, seed=0)
        kmeans.train(points)
        nearest = kmeans.centroids[kmeans.index.search(points, 1)[1][:, 0]]
        total += float(np.square(nearest.astype(np.float64) - points).sum())
    return total


@pytest.mark.parametrize("width", [2, 8, 64])
@pytest.mark.parametrize("k", [4, 32])
@pytest.mark.parametrize("make", [draws, grouped])
def test_no_farther_than_faiss(make, width, k):
    vectors = make(12, 600, width)
    assert cost(vectors, cluster_vectors(vectors, k)) <= 1.02 * faiss_cost(vectors, k)


def test_a_good_start_finds_groups_that_a_random_one_misses():
    vectors = grouped(8, 1000, 8)
    assert cost(vectors, cluster_vectors(vectors, 40)) <= 0.9 * faiss_cost(vectors, 40)


@pytest.mark.parametrize("width", [3, 64])
def test_close_to_scikit_learn_from_a_start_as_good(width):
    vectors = grouped(4, 600, width)
    theirs = sum(KMeans(24, n_init=1, random_state=0).fit(x).inertia_ for x in vectors.numpy())
    assert cost(vectors, cluster_vectors(vectors, 24)) <= 1.05 * theirs


def test_more_than_256_centroids_take_larger_codes():
    vectors = draws(1, 1000, 4)
    clusters = cluster_vectors(vectors, 300)
    assert clusters.codes.dtype == torch.int16
    assert int(clusters.codes.max()) == clusters.centroids.shape[1] - 1 > 255


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(1, 6))
def test_look_up_takes_each_set_from_its_own_centroids(n_sets, n, k, width):
    centroids = draws(n_sets, k, width)
    codes = torch.randint(k, (n_sets, n), generator=torch.Generator().manual_seed(n))
    found = look_up(codes.to(torch.uint8), centroids)
    for b in range(n_sets):
        assert torch.equal(found[b], centroids[b, codes[b]])
