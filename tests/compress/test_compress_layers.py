"""Recipe and network to tensors: whole-model pruning, the source untouched, restoring."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune as torch_prune

from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.compress.networks.compressed import compress_planned
from explorer.compress.networks.layer import index_layers
from explorer.compress.networks.planner import Planner, layer_steps, resolve
from explorer.compress.networks.recipe import Recipe


def network(seed=0, scale=(1.0, 0.1, 3.0)):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Conv2d(2, 5, 3), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(45, 7), nn.Linear(7, 4)
        )
    for layer, factor in zip((net[0], net[3], net[4]), scale, strict=True):
        layer.weight.data *= factor
    return net


def compressed(net, recipe):
    return compress_planned(net, Planner(net, index_layers(net)).plan(Recipe.of(recipe)))


def zeros(model):
    return sum(int((record.restore() == 0).sum()) for record in model.records.values())


@given(st.integers(0, 50), st.floats(0, 1))
def test_pruning_over_the_model_has_one_threshold_and_an_exact_count(seed, sparsity):
    net = network(seed)
    model = compressed(net, [Prune(sparsity=sparsity, scope="model")])
    weights = [net[0].weight, net[3].weight, net[4].weight]
    total = sum(weight.numel() for weight in weights)
    assert zeros(model) == round(sparsity * total)
    restored = [record.restore() for record in model.records.values()]
    gone = [w.detach()[r == 0].abs() for w, r in zip(weights, restored, strict=True)]
    kept = [w.detach()[r != 0].abs() for w, r in zip(weights, restored, strict=True)]
    if 0 < zeros(model) < total:
        assert float(torch.cat(gone).max()) <= float(torch.cat(kept).min())


@settings(max_examples=25)
@given(st.integers(0, 50), st.floats(0, 1))
def test_same_weights_as_torch_over_the_model(seed, sparsity):
    net, theirs = network(seed), network(seed)
    model = compressed(net, [Prune(sparsity=sparsity, scope="model")])
    chosen = [(theirs[i], "weight") for i in (0, 3, 4)]
    count = round(sparsity * sum(layer.weight.numel() for layer, _ in chosen))
    torch_prune.global_unstructured(chosen, pruning_method=torch_prune.L1Unstructured, amount=count)
    for (layer, _), record in zip(chosen, model.records.values(), strict=True):
        assert torch.equal(layer.weight.detach(), record.restore())


@given(st.integers(0, 40), st.floats(0, 1), st.sampled_from(["magnitude", "random"]))
def test_the_count_over_the_model_is_exact_among_ties(seed, sparsity, criterion):
    net = network(seed)
    generator = torch.Generator().manual_seed(seed)
    for index in (0, 3, 4):
        shape = net[index].weight.shape
        net[index].weight.data = torch.randint(1, 4, shape, generator=generator) / 2
    model = compressed(net, [Prune(sparsity=sparsity, scope="model", criterion=criterion)])
    total = sum(net[i].weight.numel() for i in (0, 3, 4))
    assert zeros(model) == round(sparsity * total)


def test_zeros_of_the_source_count_over_the_model():
    net = network()
    net[3].weight.data[:5] = 0
    total = sum(net[i].weight.numel() for i in (0, 3, 4))
    assert zeros(compressed(net, [Prune(sparsity=0.1, scope="model")])) == 5 * 45
    assert zeros(compressed(net, [Prune(sparsity=0.7, scope="model")])) == round(0.7 * total)


def test_pruning_over_the_model_takes_only_the_layers_it_applies_to():
    net = network()
    step = Prune(sparsity=0.5, scope="model")
    model = compressed(net, {"0": [], "*": [step, Share(4)]})
    assert torch.equal(model["0"].restore(), net[0].weight)
    zeros_ = sum(int((model[name].restore() == 0).sum()) for name in ("3", "4"))
    assert zeros_ == round(0.5 * (45 * 7 + 28))


@pytest.mark.parametrize("step", [Prune(sparsity=0.5, scope="model")])
def test_pruning_over_the_model_comes_first_and_once(step):
    layers = index_layers(network())
    for steps in ([Share(4), step], [step, step], [Prune(sparsity=0.1), step]):
        with pytest.raises(ValueError, match=r"must be the first step of layer '0', once"):
            resolve(layer_steps(Recipe.of(steps), layers), layers)
    with pytest.raises(ValueError, match="pattern 'fc' matches no layer"):
        layer_steps(Recipe.of({"fc": [step]}), layers)


@pytest.mark.parametrize("training", [True, False])
def test_the_source_is_never_touched(training):
    net = network().train(training)
    net[3].weight.requires_grad_(False)
    state = copy.deepcopy(net.state_dict())
    tensors = {name: id(tensor) for name, tensor in net.named_parameters()}
    flags = {name: p.requires_grad for name, p in net.named_parameters()}
    rng = torch.random.get_rng_state()
    steps = [Prune(sparsity=0.5, scope="model"), Share(4, "random"), Quantize(4)]
    for recipe in (steps, [LowRank(rank=2)], [Prune(sparsity=0.5, criterion="random")]):
        model = compressed(net, recipe)
        restored = model.restore()
        for parameter in restored.parameters():
            parameter.data.add_(1)
        for tensor in model.state_dict().values():
            tensor.add_(1)
    assert net.training is training
    assert all(module.training is training for module in net.modules())
    assert {name: id(tensor) for name, tensor in net.named_parameters()} == tensors
    assert {name: p.requires_grad for name, p in net.named_parameters()} == flags
    assert all(p.grad is None for p in net.parameters())
    assert torch.equal(torch.random.get_rng_state(), rng)
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, state[name]), name


def test_an_empty_recipe_restores_the_very_network():
    net = network()
    restored = compressed(net, None).restore()
    assert restored is not net
    assert not restored.training
    for name, tensor in net.state_dict().items():
        assert torch.equal(restored.state_dict()[name], tensor), name


class Tied(nn.Module):
    """An embedding whose table is also the last layer's weight, and two equal layers."""

    def __init__(self, embedding_first):
        super().__init__()
        if embedding_first:
            self.table = nn.Embedding(6, 4)
        self.inner, self.twin = nn.Linear(4, 4), nn.Linear(4, 4)
        self.head = nn.Linear(4, 6, bias=False)
        if not embedding_first:
            self.table = nn.Embedding(6, 4)
        self.twin.weight = self.inner.weight
        self.table.weight = self.head.weight


@pytest.mark.parametrize("embedding_first", [True, False])
def test_tied_weights_are_compressed_once_and_restored_everywhere(embedding_first):
    net = Tied(embedding_first)
    model = compressed(net, [Prune(sparsity=0.5)])
    assert list(model.records) == ["inner", "head"]
    assert set(model.untouched) == {"inner.bias", "twin.bias"}
    restored = model.restore()
    assert restored.table.weight is restored.head.weight
    assert restored.twin.weight is restored.inner.weight
    assert int((restored.table.weight == 0).sum()) == 12
    assert int((restored.twin.weight == 0).sum()) == 8


def test_a_layer_that_is_not_there():
    model = compressed(network(), None)
    with pytest.raises(KeyError, match=r"layer 'fc1' is not in this model; its layers are: 0, 3"):
        model["fc1"]


def test_a_network_that_does_not_fit():
    with pytest.raises(ValueError, match=r"net does not fit this file: .*size mismatch|Missing"):
        compressed(network(), None).restore(nn.Linear(3, 3))


def test_weights_that_are_not_numbers_are_named_by_their_layer():
    net = network()
    net[3].weight.data[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"layer '3': weight holds NaN or infinite entries \(1 of"):
        compressed(net, None)


def test_bytes_of_the_original_count_every_tensor():
    net = network()
    expected = sum(t.numel() * t.element_size() for t in net.state_dict().values())
    assert compressed(net, [Share(4)]).original_bytes == expected
