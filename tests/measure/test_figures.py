"""The figures of the whole network, against those of the compressed model itself."""

import math

import pytest
import torch
from torch import nn

from explorer.codec.model import compress
from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.compress.networks.compressed import untouched_tensors
from explorer.compress.networks.layer import index_layers
from explorer.compress.networks.planner import layer_steps, resolve
from explorer.compress.networks.recipe import Recipe
from explorer.measure.anatomy import anatomy, layer_macs
from explorer.measure.energy import estimate
from explorer.measure.figures import Network, figures
from explorer.measure.result import LayerFigures, Result

RECIPES = [
    [],
    [Prune(sparsity=0.6)],
    [Prune(sparsity=0.6, scope="model"), Share(7)],
    [Prune(threshold=0.05), Quantize(4)],
    [Binarize("channel")],
    [LowRank(rank=2)],
    [LowRank(energy=0.8), Quantize(8)],
    {"0": [Share(4), Quantize(4)], "*": [Prune(sparsity=0.3, criterion="random")]},
]


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 10)
        ).eval()


def drawn_up(net, recipe, input_shape=None):
    layers = index_layers(net)
    parsed = Recipe.of(recipe)
    steps = resolve(layer_steps(parsed, layers), layers)
    plans = {name: layer.plan(steps[name]) for name, layer in layers.items()}
    found = anatomy(net, input_shape) if input_shape else None
    macs = layer_macs(net, found) if found else {}
    return figures(Network(layers, untouched_tensors(net), found, macs), parsed, steps, plans)


@pytest.mark.parametrize("recipe", RECIPES, ids=range(len(RECIPES)))
def test_figures_are_those_of_the_model(recipe):
    net = network()
    result, model = drawn_up(net, recipe), compress(net, recipe)
    assert result.size_bytes == model.size_bytes
    assert result.original_bytes == model.original_bytes
    assert result.compression_ratio == model.compression_ratio
    zeros = total = 0
    for layer in result.layers:
        record, weight = model[layer.name], net[int(layer.name)].weight.detach()
        restored = record.restore()
        zeros, total = zeros + int((restored == 0).sum()), total + weight.numel()
        assert layer.shape == tuple(weight.shape)
        assert layer.size_bits == record.size_bits
        assert layer.n_nonzero == int(restored.count_nonzero())
        assert layer.original_bits == 32 * weight.numel()
        error = (restored.double() - weight.double()).norm() / weight.double().norm()
        assert layer.error == pytest.approx(float(error), rel=1e-5, abs=1e-7)
    assert result.sparsity == pytest.approx(zeros / total)
    assert result.overhead_bytes == result.size_bytes - math.ceil(
        sum(layer.size_bits for layer in result.layers) / 8
    )


def test_operations_shrink_with_the_weights_that_are_left():
    shape = (1, 6, 6)
    result = drawn_up(network(), [Prune(sparsity=0.75)], shape)
    assert [layer.original_macs for layer in result.layers] == [36 * 16, 640]
    assert [layer.macs for layer in result.layers] == [9 * 16, 160]
    assert (result.macs, result.original_macs) == (304, 1216)
    low_rank = drawn_up(network(), {"3": [LowRank(rank=2)]}, shape)
    assert low_rank["3"].macs == 2 * (10 + 64)
    assert drawn_up(network(), {"3": [LowRank(rank=10)]}, shape)["3"].macs == 640


def test_energy_is_that_of_the_bytes_operations_and_activations():
    result = drawn_up(network(), [Prune(sparsity=0.75)], (1, 6, 6))
    # Image, 4 maps of 4 x 4, and 10 values, written to and read from SRAM at 5 pJ each time.
    activations = 2 * (36 + 64 + 10) * 5
    known = estimate(8 * result.size_bytes, 304).total_pj
    assert result.energy_pj == pytest.approx(known + activations)
    known = estimate(8 * result.original_bytes, 1216).total_pj
    assert result.original_energy_pj == pytest.approx(known + activations)
    assert drawn_up(network(), []).energy_pj is None
    assert drawn_up(network(), []).macs is None


def test_a_layer_of_zeros_has_no_error():
    net = network()
    net[0].weight.data.zero_()
    row = drawn_up(net, [Share(4)])["0"]
    assert (row.error, row.sparsity, row.n_nonzero) == (0.0, 1.0, 0)


def test_steps_are_told_in_words():
    result = drawn_up(network(), {"0": [Prune(sparsity=0.5), Share(4)], "*": []})
    assert result["0"].steps == ("Prune 50%", "Share 4 values")
    assert result["3"].steps == ()
    assert result["3"].note == ""


def test_the_result_by_hand():
    layers = (
        LayerFigures("a", (2, 5), 10, 4, 320, 80, 0.1, macs=4, original_macs=10),
        LayerFigures("b", (10,), 10, 10, 320, 320, 0.0, macs=10, original_macs=10),
    )
    result = Result(layers, 100, 60, 10, energy_pj=2.0, original_energy_pj=5.0)
    assert (layers[0].density, layers[0].sparsity) == (0.4, 0.6)
    assert layers[0].compression_ratio == 4.0
    assert (result.n_weights, result.n_nonzero) == (20, 14)
    assert result.sparsity == pytest.approx(0.3)
    assert result.compression_ratio == pytest.approx(100 / 60)
    assert (result.macs, result.original_macs, result.mac_fraction) == (14, 20, 0.7)
    unknown = Result((), 100, 60, 10)
    assert (unknown.sparsity, unknown.mac_fraction) == (0.0, None)
    assert result["b"] is layers[1]
    with pytest.raises(KeyError, match="layer 'c' is not in this result; its layers are: a, b"):
        result["c"]
