"""One layer compressed at a time."""

from collections import Counter

import pytest
import torch
from sweep_subjects import small_data, small_net
from torch import nn

from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.library import compress
from explorer.measure.accuracy import evaluate
from explorer.sweep.dials import DIALS
from explorer.sweep.sensitivity import cells, curve, matrix_shapes, only, sensitivity


@pytest.fixture(scope="module")
def points():
    return list(sensitivity(small_net(), small_data(), values=[0.1, 0.5, 1.0]))


def test_every_layer_has_every_value_once(points):
    assert Counter((p.layer, p.value) for p in points) == {
        (layer, value): 1 for layer in ("0", "2") for value in (0.1, 0.5, 1.0)
    }


def test_at_density_one_the_network_is_as_it_was(points):
    whole = [p.point for p in points if p.value == 1.0]
    original = evaluate(small_net(), small_data())
    assert [(p.accuracy.top1, p.recipe) for p in whole] == [(original.top1, Recipe())] * 2


def test_points_are_what_compressing_that_layer_alone_gives(points):
    for p in points:
        if p.value == 1.0:
            continue
        small = compress(small_net(), {p.layer: [Prune(sparsity=1 - p.value)]})
        assert p.point.size_bytes == small.size_bytes
        net = small.restore()
        assert p.point.accuracy.top1 == evaluate(net, small_data()).top1
        other = {"0": "2", "2": "0"}[p.layer]
        assert torch.equal(net.get_submodule(other).weight, small_net().get_submodule(other).weight)
        kept = net.get_submodule(p.layer).weight.count_nonzero().item()
        assert kept == round(p.value * net.get_submodule(p.layer).weight.numel())


@pytest.mark.parametrize(
    ("dial", "value", "step"),
    [
        ("density", 0.25, Prune(sparsity=0.75)),
        ("bits", 3, Quantize(bits=3)),
        ("k", 16, Share(n_clusters=16)),
        ("rank", 0.5, LowRank(rank=3)),
        ("rank", 0.02, LowRank(rank=1)),
    ],
)
def test_each_dial_turns_its_own_step(dial, value, step):
    (cell,) = cells(matrix_shapes(small_net()), dial, ["0"], [value])
    assert cell.recipe == Recipe((("0", (step,)),))
    assert DIALS[dial].kind is type(step)


def test_the_ends_of_all_layers_come_first():
    found = cells({"a": (4, 4), "b": (4, 4)}, "bits", None, [1, 2, 3, 4, 5])
    assert [cell.value for cell in found[:4]] == [5, 5, 1, 1]
    assert [cell.layer for cell in found[:4]] == ["a", "b", "a", "b"]


def test_a_curve_is_in_order_and_of_one_layer(points):
    assert list(curve(points, "2")) == [0.1, 0.5, 1.0]
    assert curve(points, "none") == {}


def test_names_with_wildcards_mean_themselves():
    recipe = only("a[0]*", (Prune(sparsity=0.5),))
    assert recipe.steps_for("a[0]*")
    assert not recipe.steps_for("a0b")


def test_it_can_be_stopped():
    seen = []
    for p in sensitivity(small_net(), small_data(), should_stop=lambda: len(seen) >= 2):
        seen.append(p)
    assert len(seen) < 2 * len(DIALS["density"].values)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"dial": "speed"}, "dial must be one of density, bits, k, rank; got 'speed'"),
        ({"layers": ["1"]}, "layers: '1' is no layer; the layers are: 0, 2"),
        ({"values": [90]}, "a density must be one of the numbers from 0 to 1; got 90"),
        ({"values": [2.5], "dial": "bits"}, "whole numbers from 1 to 16; got 2.5"),
        ({"values": []}, "values: expected at least one density, got none"),
        ({"values": [True]}, "a density must be one of the numbers from 0 to 1; got True"),
    ],
)
def test_bad_input_is_told_at_once(how, words):
    with pytest.raises(ValueError, match=words):
        sensitivity(small_net(), small_data(), **how)


def test_a_network_without_layers():
    with pytest.raises(ValueError, match="no dense or convolutional layer"):
        sensitivity(nn.ReLU(), None)
