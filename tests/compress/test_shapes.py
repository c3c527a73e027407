"""A network of the original sizes takes the tensors of a smaller one, and no others."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sameness import assert_same_outputs
from torch import nn

from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.networks.removal.removal import remove_neurons
from explorer.compress.networks.resizing import fit_shapes
from explorer.compress.networks.weights import compressible


class Scale(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(n, 1, 1))

    def forward(self, x):
        return x * self.gamma


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small tensors gain nothing from more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def network():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.PReLU(8),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.Conv2d(8, 16, 3, groups=8),
        nn.InstanceNorm2d(16, affine=True),
        Scale(16),
        nn.Conv2d(16, 12, 1, groups=2),
        nn.ConvTranspose2d(12, 6, 2),
        nn.Flatten(),
        nn.Linear(150, 10),
        nn.Linear(10, 4),
    )


IMAGE = (3, 8, 8)


def sized(net, **shapes):
    state = net.state_dict()
    return state | {name: torch.zeros(shape) for name, shape in shapes.items()}


@settings(max_examples=15)
@given(st.floats(0, 0.9))
def test_what_removal_leaves_fits_the_original_again(fraction):
    net = network()
    steps = {name: PruneNeurons(fraction) for name in compressible(net)}
    small = remove_neurons(net, steps, IMAGE).net
    again = network()
    fit_shapes(again, small.state_dict())
    again.load_state_dict(small.state_dict(), strict=True)
    assert repr(again) == repr(small)
    x = torch.randn(2, *IMAGE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert_same_outputs(again.eval()(x), small(x))


def test_by_hand_every_kind_of_layer_knows_its_new_size():
    net = network()
    fit_shapes(
        net,
        {
            "0.weight": torch.zeros(5, 3, 3, 3),
            "0.bias": torch.zeros(5),
            "1.weight": torch.zeros(5),
            "1.bias": torch.zeros(5),
            "1.running_mean": torch.zeros(5),
            "1.running_var": torch.zeros(5),
            "2.weight": torch.zeros(5),
            "3.weight": torch.zeros(5, 1, 3, 3),
            "3.bias": torch.zeros(5),
            "4.weight": torch.zeros(10, 1, 3, 3),
            "4.bias": torch.zeros(10),
            "6.gamma": torch.zeros(10, 1, 1),
            "7.weight": torch.zeros(8, 5, 1, 1),
            "7.bias": torch.zeros(8),
            "8.weight": torch.zeros(8, 2, 2, 2),
            "8.bias": torch.zeros(2),
            "10.weight": torch.zeros(9, 50),
            "10.bias": torch.zeros(9),
        },
    )
    assert (net[0].out_channels, net[0].in_channels, net[0].groups) == (5, 3, 1)
    assert (net[1].num_features, net[2].num_parameters) == (5, 5)
    assert (net[3].out_channels, net[3].in_channels, net[3].groups) == (5, 5, 5)
    assert (net[4].out_channels, net[4].in_channels, net[4].groups) == (10, 5, 5)
    assert (net[7].out_channels, net[7].in_channels, net[7].groups) == (8, 10, 2)
    assert (net[8].out_channels, net[8].in_channels) == (2, 8)
    assert (net[10].out_features, net[10].in_features) == (9, 50)
    assert net[6].gamma.shape == (10, 1, 1)


def test_layer_normalization():
    net = nn.LayerNorm((6,))
    fit_shapes(net, {"weight": torch.zeros(4), "bias": torch.zeros(4)})
    assert net.normalized_shape == (4,)
    assert net(torch.randn(2, 4)).shape == (2, 4)


def test_layers_that_share_a_tensor_go_on_sharing():
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    net[1].weight = net[0].weight
    shapes = {"0.weight": (3, 3), "0.bias": (3,), "1.weight": (3, 3), "1.bias": (3,)}
    fit_shapes(net, {name: torch.zeros(shape) for name, shape in shapes.items()})
    assert net[1].weight is net[0].weight
    assert net[1].weight.shape == (3, 3)


def test_a_name_that_is_missing_keeps_its_size():
    net = nn.Linear(4, 4, bias=False)
    fit_shapes(net, {})
    assert net.weight.shape == (4, 4)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (
            {"11.weight": (4, 11)},
            r"11.weight has shape \(4, 11\), larger than the network's \(4, 10\)",
        ),
        ({"11.weight": (4, 10, 1)}, r"11.weight has shape \(4, 10, 1\); the network's has shape"),
        ({"11.weight": (0, 10)}, r"11.weight is empty: shape \(0, 10\)"),
        ({"12.weight": (4, 10)}, r"the network has no tensor '12.weight'"),
        ({"11.weight": (3, 10)}, r"tensors of 11 do not agree: weight \(3, 10\), bias \(4,\)"),
        ({"1.weight": (5,)}, r"tensors of 1 do not agree: weight \(5,\), bias \(8,\)"),
        ({"0.weight": (8, 3, 1, 3)}, r"its filters must keep the size \(3, 3\)"),
        ({"4.weight": (7, 1, 3, 3), "4.bias": (7,)}, r"4.weight has 7 filters, which do not fill"),
        ({"7.weight": (11, 8, 1, 1), "7.bias": (11,)}, r"7.weight has 11 filters, which do not"),
        (
            {"1.num_batches_tracked": (1,)},
            r"num_batches_tracked has shape \(1,\); the network's has",
        ),
    ],
)
def test_shapes_that_cannot_belong_are_refused_and_nothing_changes(shapes, words):
    net = network()
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(ValueError, match=words):
        fit_shapes(net, sized(net, **shapes))
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize(
    ("layer", "name"),
    [(nn.GroupNorm(2, 6), "weight"), (nn.MultiheadAttention(4, 2), "in_proj_weight")],
)
def test_layers_that_cannot_shrink_say_so(layer, name):
    state = {name: layer.state_dict()[name][:4]}
    with pytest.raises(ValueError, match=f"of type {type(layer).__name__} cannot shrink"):
        fit_shapes(layer, state)
