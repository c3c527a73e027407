"""Neurons taken out of small networks: by hand, against the silent network, and what stays."""

import copy
import threading
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sameness import assert_same_outputs
from torch import nn

from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.networks.removal.removal import NeuronIndex, remove_neurons
from explorer.compress.networks.weights import compressible

IMAGE = (3, 8, 8)


class Add(nn.Module):
    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return sum(branch(x) for branch in self.branches)


class Cat(Add):
    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class Gate(Add):
    def forward(self, x):
        return x * torch.sigmoid(self.branches[0](x.mean((2, 3), keepdim=True)))


class Split(nn.Module):
    """Takes the number of channels for granted."""

    def forward(self, x):
        return x.reshape(len(x), 6, -1).transpose(1, 2).reshape(x.shape)


class Six(nn.Module):
    def forward(self, x):
        return x.reshape(len(x), 6, *x.shape[2:])


class Weigh(nn.Module):
    """Leaves silent channels silent, but counts them."""

    def forward(self, x):
        return x * x.abs().mean(1, keepdim=True)


class Both(Add):
    """Gives what is inside as well."""

    def forward(self, x):
        inside = self.branches[0](x)
        return {"inside": inside, "logits": [self.branches[1](inside)]}


class Whiten(nn.Module):
    """Mixes all channels, unknown to any graph."""

    def forward(self, x):
        return x - x.mean(1, keepdim=True)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small tensors gain nothing from more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def conv(*sizes, **more):
    return nn.Sequential(nn.Conv2d(*sizes, **more), nn.BatchNorm2d(sizes[1]), nn.ReLU())


def head(channels):
    return [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, 5)]


def networks():
    return {
        "dense": nn.Sequential(
            nn.Flatten(), nn.Linear(192, 20), nn.Sigmoid(), nn.Linear(20, 12), nn.Linear(12, 5)
        ),
        "plain": nn.Sequential(
            conv(3, 8, 3), nn.MaxPool2d(2), conv(8, 10, 3, bias=False), *head(10)
        ),
        "padded": nn.Sequential(conv(3, 8, 3, padding=1), nn.Conv2d(8, 6, 3, padding=1), *head(6)),
        "residual": nn.Sequential(
            conv(3, 8, 3), Add(nn.Identity(), conv(8, 8, 3, padding=1)), nn.ReLU(), *head(8)
        ),
        "concatenating": nn.Sequential(
            conv(3, 6, 3), Cat(nn.Identity(), conv(6, 4, 1)), conv(10, 7, 1), *head(7)
        ),
        "depthwise": nn.Sequential(
            conv(3, 8, 1), conv(8, 8, 3, groups=8, padding=1), nn.Conv2d(8, 6, 1), *head(6)
        ),
        "multiplied": nn.Sequential(conv(3, 8, 1), conv(8, 16, 3, groups=8), *head(16)),
        "grouped": nn.Sequential(
            conv(3, 12, 1), conv(12, 18, 3, groups=3), nn.Conv2d(18, 6, 1), *head(6)
        ),
        "gated": nn.Sequential(
            conv(3, 8, 3), Gate(nn.Sequential(nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1))), *head(8)
        ),
        "transposed": nn.Sequential(
            nn.ConvTranspose2d(3, 6, 2), nn.PReLU(6), nn.ConvTranspose2d(6, 4, 2), *head(4)
        ),
        "instance": nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.InstanceNorm2d(6, affine=True), nn.Dropout(), *head(6)
        ),
    }


def ready(net, seed=0):
    """Give weights, biases and statistics that are far from zero."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in net.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(
                torch.randn(tensor.shape, generator=generator) / max(1, tensor[0].numel()) ** 0.5
            )
            if name.endswith("running_var"):
                tensor.abs_().add_(0.5)
    return net


def images(shape=IMAGE, n=4):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(9))


def everywhere(net, fraction, norm="l1"):
    return {name: PruneNeurons(fraction, norm) for name in compressible(net)}


def outputs(net, x):
    with torch.no_grad():
        return net(x)


def check_agrees(net, reduced, shape=IMAGE):
    x = images(shape)
    small, masked = outputs(reduced.net, x), outputs(reduced.masked, x)
    assert_same_outputs(small, masked, nearly=1e-4)  # norms of small maps enlarge roundings
    for name, weight in compressible(reduced.masked).items():
        rows, columns = reduced.kept[name]
        left = reduced.net.get_submodule(name).weight
        assert weight.shape == net.get_submodule(name).weight.shape
        assert torch.equal(weight.flatten(1)[rows][:, columns], left.flatten(1))
    return reduced


def sizes(net):
    return {name: tuple(weight.shape) for name, weight in compressible(net).items()}


NAMES = list(networks())


@pytest.mark.parametrize("name", NAMES)
def test_the_smaller_network_does_what_the_silent_one_does(name):
    net = ready(networks()[name])
    reduced = check_agrees(net, remove_neurons(net, everywhere(net, 0.4), IMAGE))
    last = list(compressible(net))[-1]
    assert reduced.notes == {last: "its outputs are the network's classes"}
    for layer in reduced.kept:
        axis = 1 if name == "transposed" and layer != last else 0
        whole = net.get_submodule(layer).weight.shape[axis]
        assert (reduced.net.get_submodule(layer).weight.shape[axis] < whole) is (layer != last)
    assert not reduced.net.training
    assert not reduced.masked.training


@settings(max_examples=25)
@given(st.sampled_from(NAMES), st.floats(0, 0.99), st.sampled_from(["l1", "l2"]), st.integers(0, 5))
def test_any_fraction(name, fraction, norm, seed):
    net = ready(networks()[name], seed)
    reduced = check_agrees(net, remove_neurons(net, everywhere(net, fraction, norm), IMAGE))
    assert all(min(size) >= 1 for size in sizes(reduced.net).values())
    if fraction == 0:
        assert sizes(reduced.net) == sizes(net)


def test_by_hand_a_dense_network():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    net[0].weight.data = torch.tensor([[1.0, 2.0], [0.1, -0.1], [3.0, 0.0]])
    net[0].bias.data = torch.tensor([0.0, 0.5, 1.0])
    net[2].weight.data = torch.tensor([[1.0, 2.0, 3.0], [4.0, 6.0, 5.0]])
    net[2].bias.data = torch.tensor([0.25, -1.0])
    reduced = remove_neurons(net, {"0": PruneNeurons(0.34)}, (2,))
    assert reduced.net[0].weight.tolist() == [[1.0, 2.0], [3.0, 0.0]]
    assert reduced.net[0].bias.tolist() == [0.0, 1.0]
    assert reduced.net[2].weight.tolist() == [[1.0, 3.0], [4.0, 5.0]]
    # Without input the neuron emits relu(0.5), which goes into the next biases.
    assert reduced.net[2].bias.tolist() == [0.25 + 2 * 0.5, -1.0 + 6 * 0.5]
    assert reduced.masked[0].weight.tolist() == [[1.0, 2.0], [0.0, 0.0], [3.0, 0.0]]
    assert reduced.masked[0].bias.tolist() == [0.0, 0.5, 1.0]
    assert (reduced.net[0].out_features, reduced.net[2].in_features) == (2, 2)
    rows, columns = reduced.kept["2"]
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [0, 2])
    assert reduced.notes == {}


def test_by_hand_columns_of_a_convolution_and_of_a_flattened_one():
    net = ready(
        nn.Sequential(nn.Conv2d(1, 3, 2), nn.Conv2d(3, 2, 2), nn.Flatten(), nn.Linear(8, 2))
    )
    net[0].weight.data[1] *= 1e-3
    net[1].weight.data[0] *= 1e-3
    reduced = check_agrees(net, remove_neurons(net, everywhere(net, 0.4), (1, 4, 4)), (1, 4, 4))
    assert reduced.kept["0"][0].tolist() == [0, 2]
    assert reduced.kept["1"][0].tolist() == [1]
    assert reduced.kept["1"][1].tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
    assert reduced.kept["3"][1].tolist() == [4, 5, 6, 7]


def test_a_bias_before_padding_goes_to_zero_instead():
    net = ready(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 3, padding=1), *head(2)))
    net[0].weight.data[1] = 0
    reduced = check_agrees(net, remove_neurons(net, {"0": PruneNeurons()}, IMAGE))
    assert reduced.masked[0].bias[1] == 0
    assert torch.equal(reduced.net[1].bias, net[1].bias)


def test_so_does_a_normalization_before_padding():
    net = ready(nn.Sequential(conv(3, 4, 1), nn.Conv2d(4, 2, 3, padding=1), *head(2)))
    # Without input all four emit 1 + 1 / 1.
    net[0][0].bias.data.fill_(0)
    for name, value in {"weight": 1, "bias": 1, "running_mean": -1, "running_var": 1}.items():
        getattr(net[0][1], name).data.fill_(value)
    reduced = check_agrees(net, remove_neurons(net, {"0.0": PruneNeurons(0.5)}, IMAGE))
    rows = reduced.kept["0.0"][0].tolist()
    for name in ("weight", "bias"):
        nonzero = getattr(reduced.masked[0][1], name).nonzero().flatten()
        assert nonzero.tolist() == rows
    assert len(rows) == 2


def test_what_cannot_fall_silent_stays():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sigmoid(), nn.Conv2d(4, 2, 3, padding=1), *head(2))
    reduced = check_agrees(net, remove_neurons(ready(net), everywhere(net, 0.5), IMAGE))
    assert reduced.notes["0"].startswith("without input its neurons still emit")
    assert len(reduced.kept["0"][0]) == 4
    assert len(reduced.kept["2"][0]) == 1


def test_dead_neurons_go_and_nothing_else_changes():
    net = ready(networks()["dense"])
    net[1].weight.data[[2, 5]] = 0
    net[3].weight.data[:, 7] = 0
    reduced = check_agrees(net, remove_neurons(net, everywhere(net, 0), IMAGE))
    assert sorted(set(range(20)) - set(reduced.kept["1"][0].tolist())) == [2, 5, 7]
    assert torch.allclose(outputs(reduced.net, images()), outputs(net, images()), atol=1e-6)
    only_last = remove_neurons(net, {"3": PruneNeurons()}, IMAGE)
    assert sizes(only_last.net) == sizes(net)


def test_a_layer_that_is_dead_keeps_one_neuron():
    net = ready(networks()["dense"])
    net[1].weight.data.zero_()
    reduced = check_agrees(net, remove_neurons(net, everywhere(net, 0), IMAGE))
    assert len(reduced.kept["1"][0]) == 1


def test_in_a_sum_the_common_norm_decides_and_all_must_be_pruned():
    net = nn.Sequential(Add(nn.Linear(2, 3), nn.Linear(2, 3)), nn.Linear(3, 2))
    net[0].branches[0].weight.data = torch.tensor([[0.1, 0.0], [1.0, 0.0], [2.0, 0.0]])
    net[0].branches[1].weight.data = torch.tensor([[0.0, 5.0], [0.0, 1.0], [0.0, 2.0]])
    both = ("0.branches.0", "0.branches.1")
    reduced = remove_neurons(net, dict.fromkeys(both, PruneNeurons(0.3)), (2,))
    assert reduced.kept[both[0]][0].tolist() == reduced.kept[both[1]][0].tolist() == [0, 2]
    smaller = {both[0]: PruneNeurons(0.9), both[1]: PruneNeurons(0)}
    assert sizes(remove_neurons(net, smaller, (2,)).net) == sizes(net)
    alone = remove_neurons(net, {both[0]: PruneNeurons(0.3)}, (2,))
    assert alone.notes == {both[0]: f"coupled with {both[1]}, which is not pruned"}
    assert sizes(alone.net) == sizes(net)


def test_layers_without_a_step_keep_their_neurons():
    net = ready(networks()["plain"])
    reduced = check_agrees(net, remove_neurons(net, {"0.0": PruneNeurons(0.5)}, IMAGE))
    assert sizes(reduced.net)["0.0"][0] == 4
    assert sizes(reduced.net)["2.0"] == (10, 4, 3, 3)


@pytest.mark.parametrize("middle", [Whiten(), Split(), Six(), Weigh()])
def test_only_what_cannot_be_followed_is_left_alone(middle):
    net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 6, 1, bias=False), middle, conv(6, 8, 1))
    net = ready(nn.Sequential(*net, *head(8)))
    index = NeuronIndex(net, IMAGE)
    for _ in range(2):
        reduced = check_agrees(net, index.remove(net, everywhere(net, 0.5)))
        assert [len(reduced.kept[name][0]) for name in ("0", "1", "3.0")] == [4, 6, 4]
        assert "cannot be followed" in reduced.notes["1"]
        assert list(reduced.notes) == ["1", "6"]


def test_channels_that_are_outputs_as_well_are_left_alone():
    first = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 5))
    net = ready(Both(first, nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 3))))
    reduced = remove_neurons(net, everywhere(net, 0.5), (4,))
    assert [len(rows) for rows, _ in reduced.kept.values()] == [3, 5, 3, 3]
    x = images((4,))
    small, masked = outputs(reduced.net, x), outputs(reduced.masked, x)
    assert torch.allclose(small["inside"], masked["inside"], atol=1e-6)
    assert torch.allclose(small["logits"][0], masked["logits"][0], atol=1e-6)


@pytest.mark.parametrize(
    ("net", "layer", "words"),
    [
        (nn.Sequential(nn.Conv2d(3, 6, 1), nn.GroupNorm(2, 6), *head(6)), "0", "1 normalizes all"),
        (
            nn.Sequential(Add(nn.Identity(), nn.Conv2d(3, 3, 1)), *head(3)),
            "0.branches.1",
            "followed",
        ),
        (nn.Sequential(nn.Conv2d(3, 1, 1), *head(1)), "0", "40% of 1 removable neurons are less"),
        (
            nn.Sequential(nn.Conv2d(3, 4, 1), nn.Unflatten(2, (9, 9))),
            "0",
            "graph cannot be traced: ",
        ),
    ],
)
def test_why_a_layer_is_left_alone(net, layer, words):
    reduced = remove_neurons(ready(net), everywhere(net, 0.4), IMAGE)
    assert words in reduced.notes[layer]
    assert sizes(reduced.net) == sizes(net)


def test_tied_weights_and_layers_that_are_not_called():
    net = ready(nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.Linear(4, 2)))
    net[2].weight = net[0].weight
    net[3].spare = nn.Linear(3, 3)
    reduced = remove_neurons(net, everywhere(net, 0.5), (4,))
    assert "shares its weight" in reduced.notes["0"]
    assert reduced.notes["3.spare"] == "the network does not call it as a layer of its own"
    assert reduced.net[2].weight is reduced.net[0].weight


def _made(reduced):
    return reduced.net, reduced.masked


@pytest.mark.parametrize("training", [True, False])
def test_the_source_is_never_touched(training):
    net = ready(networks()["residual"]).train(training)
    next(net.parameters()).requires_grad_(False)
    state, flags = copy.deepcopy(net.state_dict()), [p.requires_grad for p in net.parameters()]
    modes, seed = [module.training for module in net.modules()], torch.random.get_rng_state()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("error")
        reduced = remove_neurons(net, everywhere(net, 0.4), IMAGE)
    memory = [{t.data_ptr() for t in n.state_dict().values()} for n in (net, *_made(reduced))]
    assert len(set.union(*memory)) == sum(map(len, memory))
    for made in _made(reduced):
        assert [p.requires_grad for p in made.parameters()] == flags
        made(images()).sum().backward()
    assert torch.equal(torch.random.get_rng_state(), seed)
    assert [module.training for module in net.modules()] == modes
    assert [p.requires_grad for p in net.parameters()] == flags
    assert all(p.grad is None for p in net.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    for made in _made(reduced):
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in made.modules())
    assert all(torch.equal(tensor, state[name]) for name, tensor in net.state_dict().items())


def test_an_index_serves_other_weights_and_several_threads(capfd):
    index = NeuronIndex(networks()["concatenating"], IMAGE)
    found = {}

    def work(seed):
        net = ready(networks()["concatenating"], seed)
        found[seed] = check_agrees(net, index.remove(net, everywhere(net, seed / 10)))
        fresh = remove_neurons(net, everywhere(net, seed / 10), IMAGE)
        assert_same_outputs(outputs(fresh.net, images()), outputs(found[seed].net, images()))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 7))
    assert capfd.readouterr() == ("", "")


def test_half_precision():
    net = ready(networks()["dense"]).bfloat16()
    reduced = remove_neurons(net, everywhere(net, 0.4), IMAGE)
    assert sizes(reduced.net)["1"][0] == 12
    assert {p.dtype for p in reduced.net.parameters()} == {torch.bfloat16}


def test_bad_steps_are_refused():
    net = networks()["dense"]
    with pytest.raises(ValueError, match=r"steps: 'fc9' is not a layer .* are: 1, 3, 4"):
        remove_neurons(net, {"fc9": PruneNeurons(0.5)}, IMAGE)
    with pytest.raises(TypeError, match=r"steps: '1' must have a PruneNeurons step; got 0.5"):
        remove_neurons(net, {"1": 0.5}, IMAGE)
