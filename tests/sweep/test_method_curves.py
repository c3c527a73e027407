"""The curves of all methods."""

from collections import Counter

import pytest
import torch
from sweep_subjects import small_data, small_net

from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.library import compress
from explorer.measure.accuracy import evaluate
from explorer.sweep.curves import method_curves, planned
from explorer.sweep.methods import METHODS
from explorer.sweep.retrained import Retrainer
from explorer.train.settings import TrainSettings
from explorer.zoo.architectures import lenet_5
from explorer.zoo.loaded import Data

QUICK = TrainSettings(n_epochs=1, learning_rate=0.01, batch_size=64)


@pytest.fixture(scope="module")
def data():
    return Data(small_data(256), small_data(300))


@pytest.fixture(scope="module")
def points(data):
    net = small_net()
    return list(method_curves(net, data, retrained=True, training=QUICK))


def test_every_method_has_every_setting_once(points):
    plain = Counter((p.method, p.value) for p in points if not p.retrained)
    assert plain == {(m.name, value): 1 for m in METHODS.values() for value in m.values}
    again = Counter((p.method, p.value) for p in points if p.retrained)
    assert again == {(m.name, value): 1 for m in METHODS.values() if m.trains for value in m.values}
    assert {m.name for m in METHODS.values() if m.trains} == {
        "prune",
        "share",
        "prune_share",
        "deep_compression",
    }


def test_nothing_fails(points):
    assert {p.point.error_message for p in points} == {""}
    assert all(p.point.accuracy is not None for p in points)


def test_points_are_what_compressing_gives(points, data):
    for p in points:
        if not p.retrained and p.method in ("deep_compression", "product", "residual"):
            small = compress(small_net(), p.point.recipe)
            assert p.point.size_bytes == small.size_bytes
            assert p.point.accuracy.top1 == evaluate(small.restore(), data.eval).top1


def test_retrained_points_keep_zeros_and_shared_values(data):
    recipe = Recipe.of([Prune(sparsity=0.6), Share(n_clusters=4)])
    retrainer = Retrainer(small_net(), data, QUICK)
    point = retrainer.point(recipe)
    net = retrainer._kept[1]
    for name in ("0", "2"):
        weight = net.get_submodule(name).weight
        kept = weight.count_nonzero().item()
        assert kept == weight.numel() - round(0.6 * weight.numel())
        assert len(weight[weight != 0].unique()) <= 4
        assert not torch.equal(weight, small_net().get_submodule(name).weight)
    assert point.size_bytes == compress(net, recipe).size_bytes
    assert point.accuracy.top1 == evaluate(net, data.eval).top1


def test_what_is_written_in_another_way_is_trained_once(data):
    retrainer = Retrainer(small_net(), data, QUICK)
    lossy = (Prune(sparsity=0.6), Share(n_clusters=4))
    first = retrainer.point(Recipe.of([*lossy]))
    net = retrainer._kept[1]
    second = retrainer.point(Recipe.of([*lossy, Entropy("huffman")]))
    assert retrainer._kept[1] is net
    assert first.accuracy == second.accuracy


def test_the_network_itself_is_left_alone(data):
    net = small_net()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    Retrainer(net, data, QUICK).point(Recipe.of([Prune(sparsity=0.5)]))
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_retraining_can_be_stopped(data):
    recipe = Recipe.of([Prune(sparsity=0.5)])
    assert Retrainer(small_net(), data, QUICK).point(recipe, lambda: True) is None


def test_kernels_share_more_values_than_dense_layers():
    (one, *_) = planned(lenet_5(), ["deep_compression"])
    ends = {pattern: steps[1] for pattern, steps in one.recipe.entries}
    assert ends == {
        "conv1": Share(n_clusters=256),
        "conv2": Share(n_clusters=256),
        "fc1": Share(n_clusters=32),
        "fc2": Share(n_clusters=32),
    }


def test_bad_input_is_told_at_once():
    with pytest.raises(ValueError, match="methods: 'zip' is not one of prune, binarize, "):
        method_curves(small_net(), None, methods=["zip"])
    with pytest.raises(ValueError, match=r"give both, as in Data\(tune=..., eval=...\)"):
        method_curves(small_net(), small_data(), retrained=True)
