"""Histogram, sparsity map and spectrum of one layer."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.compress.networks.layer import IndexedLayer
from explorer.measure.data import evenly
from explorer.measure.maps import histogram, sparsity_map
from explorer.measure.spectrum import Spectrum, spectrum


def layer_of(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return IndexedLayer("layer", torch.randn(*shape, generator=generator))


@given(st.integers(0, 50), st.floats(0, 1))
def test_the_histogram_counts_all_before_and_the_kept_after(seed, sparsity):
    layer = layer_of(20, 30, seed=seed)
    step = Prune(sparsity=sparsity)
    drawn = histogram(layer.plan((step,)), layer.ordering)
    weight, restored = layer.source.numpy(), step(layer.source).restore().numpy()
    assert drawn.before.tolist() == np.histogram(weight, drawn.edges)[0].tolist()
    kept = np.histogram(restored[restored != 0], drawn.edges)[0]
    assert drawn.after.tolist() == kept.tolist()
    assert (drawn.n_before, drawn.n_after) == (600, 600 - round(sparsity * 600))
    assert drawn.centers == pytest.approx(drawn.edges[:-1] + np.diff(drawn.edges) / 2)
    gone = np.abs(weight[restored == 0])
    assert drawn.threshold == (gone.max() if gone.size else None)
    assert drawn.levels is None


def test_the_histogram_of_shared_weights_shows_their_values():
    layer = layer_of(20, 30)
    drawn = histogram(layer.plan((Share(4),)), layer.ordering)
    expected = np.unique(Share(4)(layer.source).restore().numpy())
    assert drawn.levels.tolist() == expected.tolist()
    assert drawn.threshold is None
    assert np.count_nonzero(drawn.after) <= 4
    assert drawn.after.sum() == 600


def test_the_map_of_a_small_layer_is_its_mask():
    layer = layer_of(5, 2, 2)
    step = Prune(sparsity=0.5)
    drawn = sparsity_map(layer.plan((step,)), layer)
    mask = step(layer.source).mask.reshape(5, 4)
    assert drawn.kept.tolist() == mask.float().tolist()
    assert (drawn.matrix_shape, drawn.stride) == ((5, 4), 1)


@pytest.mark.parametrize("shape", [(256, 512), (300, 700), (129, 3), (1, 1000)])
def test_the_map_of_a_larger_layer_has_the_share_of_each_cell(shape):
    layer = layer_of(*shape)
    step = Prune(sparsity=0.7)
    drawn = sparsity_map(layer.plan((step,)), layer)
    mask = step(layer.source).mask.numpy()
    assert drawn.kept.shape == (min(128, shape[0]), min(256, shape[1]))
    rows = np.linspace(0, shape[0], drawn.kept.shape[0] + 1).astype(int)
    columns = np.linspace(0, shape[1], drawn.kept.shape[1] + 1).astype(int)
    last_row, last_column = (n - 1 for n in drawn.kept.shape)
    for i, j in [(0, 0), (min(3, last_row), 2), (last_row, last_column)]:
        cell = mask[rows[i] : rows[i + 1], columns[j] : columns[j + 1]]
        assert drawn.kept[i, j] == pytest.approx(cell.mean())
    assert drawn.stride == 1


def test_the_map_of_a_huge_layer_says_its_stride():
    layer = layer_of(1100, 1100)
    drawn = sparsity_map(layer.plan((Prune(sparsity=0.8),)), layer)
    assert drawn.stride == 5 * 3
    assert drawn.matrix_shape == (1100, 1100)
    assert drawn.kept.mean() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("sparsity", [0.0, 1.0])
def test_the_map_at_the_ends(sparsity):
    layer = layer_of(40, 400)
    drawn = sparsity_map(layer.plan((Prune(sparsity=sparsity),)), layer)
    assert (drawn.kept == 1 - sparsity).all()


def test_the_spectrum():
    layer = layer_of(6, 3, 2, 2)
    plan = layer.plan((LowRank(rank=2),))
    drawn = spectrum(layer.factors, plan.rank)
    expected = np.linalg.svd(layer.source.double().numpy().reshape(6, 12), compute_uv=False)
    np.testing.assert_allclose(drawn.values, expected, rtol=1e-5)
    assert (drawn.rank, drawn.full_rank, drawn.break_even) == (2, 6, 72 // 19)
    assert drawn.exact
    assert spectrum(layer.factors, None).rank is None


def test_the_ranks_of_a_spectrum_are_thinned_with_their_ends():
    values = np.linspace(9, 1, 11, dtype=np.float32)
    drawn = Spectrum(values, 7, 20, 5)
    assert drawn.drawn(3).tolist() == [1, 6, 11]
    assert drawn.kept(3).tolist() == [1, 4, 7]
    assert drawn.kept(100).tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert replace(drawn, rank=15).kept(2).tolist() == [1, 11]
    assert replace(drawn, rank=0).kept(2).tolist() == [1]
    assert replace(drawn, rank=None).kept(2).tolist() == []


@given(st.integers(1, 2000), st.integers(2, 400))
def test_what_is_thinned_keeps_its_ends_and_even_gaps(count, most):
    chosen = evenly(count, most)
    assert (chosen[0], chosen[-1], len(chosen)) == (0, count - 1, min(count, most))
    gaps = np.diff(chosen)
    assert set(gaps) <= {gaps.min(initial=count), gaps.min(initial=count) + 1}
