import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import TensorDataset
from torch.utils.flop_counter import FlopCounterMode

from explorer.measure.profile import LayerProfile, input_shape, profile
from explorer.torchvision_import import import_torchvision
from explorer.zoo.architectures import lenet_5
from explorer.zoo.loaded import Data


def rows(net, shape):
    return {row.name: row for row in profile(net, shape)}


def on_meta(build, **options):
    with torch.device("meta"):
        return build(**options)


def flops(net, shape):
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        net.eval()(torch.zeros(1, *shape))
    return counter.get_total_flops()


def test_by_hand_grouped_strided_convolution():
    row = profile(nn.Conv2d(4, 6, 3, stride=2, groups=2), (4, 9, 7))[0]
    # 6 filters of 2 x 3 x 3; output 6 x 4 x 3.
    assert row == LayerProfile("", "Conv2d", (6, 2, 3, 3), 108, 72 * 18, 4 * (108 + 6), 72)


def test_by_hand_transposed_convolution():
    row = profile(nn.ConvTranspose2d(2, 3, 4, stride=2, bias=False), (2, 5, 5))[0]
    assert (row.macs, row.activations) == (50 * 48, 3 * 12 * 12)


def test_by_hand_dense_on_a_sequence_and_a_norm():
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(5), nn.ReLU())
    dense, norm = profile(net, (5, 4))
    assert (dense.name, dense.weights, dense.macs, dense.bytes, dense.activations) == (
        ("0", 12, 5 * 12, 60, 15)
    )
    # Scale, shift, mean and variance of 5, and an int64 counter.
    assert (norm.kind, norm.weights, norm.macs, norm.bytes) == ("BatchNorm1d", 5, 0, 88)


def test_lenet_5_by_hand():
    found = {name: (row.weights, row.macs) for name, row in rows(lenet_5(), (1, 28, 28)).items()}
    assert found == {
        "conv1": (500, 24 * 24 * 500),
        "conv2": (25_000, 8 * 8 * 25_000),
        "fc1": (400_000, 400_000),
        "fc2": (5_000, 5_000),
    }


def test_attention_by_hand():
    # Query, key and value: 6 places x 3 x 8 x 8; products: 2 x 6 x 6 x 8; projection: 6 x 8 x 8.
    class Attend(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x):
            return self.attention(x, x, x, need_weights=False)[0]

    found = rows(Attend(), (6, 8))
    assert found["attention"].macs == 6 * 3 * 64 + 2 * 6 * 6 * 8
    assert found["attention.out_proj"].macs == 6 * 64
    assert found["attention.out_proj"].activations == 48


def test_a_dense_weight_used_without_its_layer_is_counted():
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(4, 3)

        def forward(self, x):
            return nn.functional.linear(x, self.inner.weight)

    row = rows(Functional(), (4,))["inner"]
    assert (row.macs, row.activations) == (12, 3)


def test_a_layer_used_twice_counts_twice_and_an_unused_one_not():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            return self.used(self.used(x))

    found = rows(Twice(), (4,))
    assert (found["used"].macs, found["used"].activations) == (32, 8)
    assert (found["unused"].macs, found["unused"].activations) == (0, 0)
    assert found["unused"].bytes == 80


def test_a_shared_tensor_is_stored_once():
    net = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    net[1].weight = net[0].weight
    assert [row.bytes for row in profile(net, (4,))] == [64, 0]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.integers(1, 2)
)
def test_agrees_with_torchs_own_counter(n_in, n_out, kernel, stride, groups):
    net = nn.Sequential(
        nn.Conv2d(n_in * groups, n_out * groups, kernel, stride, groups=groups),
        nn.ReLU(),
        nn.Flatten(),
        nn.LazyLinear(7),
    )
    shape = (n_in * groups, 8, 9)
    net(torch.zeros(1, *shape))
    assert 2 * sum(row.macs for row in profile(net, shape)) == flops(net, shape)


# Printed in Han et al. 2015, arXiv:1506.02626, table 5: weights, and operations counting a
# multiply and an add as two.
VGG16 = {
    "features.0": ("2K", "0.2B"),
    "features.2": ("37K", "3.7B"),
    "features.5": ("74K", "1.8B"),
    "features.7": ("148K", "3.7B"),
    "features.10": ("295K", "1.8B"),
    "features.12": ("590K", "3.7B"),
    "features.14": ("590K", "3.7B"),
    "features.17": ("1M", "1.8B"),
    "features.19": ("2M", "3.7B"),
    "features.21": ("2M", "3.7B"),
    "features.24": ("2M", "925M"),
    "features.26": ("2M", "925M"),
    "features.28": ("2M", "925M"),
    "classifier.0": ("103M", "206M"),
    "classifier.3": ("17M", "34M"),
    "classifier.6": ("4M", "8M"),
}


def printed(figure):
    """Turn "3.7B" into 3.7e9 within one unit of its last digit, as tables round both ways."""
    digits, unit = figure[:-1], {"K": 1e3, "M": 1e6, "B": 1e9}[figure[-1]]
    return pytest.approx(float(digits) * unit, abs=unit * 10.0 ** -len(digits.partition(".")[2]))


def test_vgg16_has_the_published_figures():
    net = on_meta(import_torchvision().models.vgg16)
    found = rows(net, (3, 224, 224))
    assert list(found) == list(VGG16)
    for name, (weights, operations) in VGG16.items():
        assert found[name].weights == printed(weights), name
        assert 2 * found[name].macs == printed(operations), name
    assert sum(row.weights for row in found.values()) == printed("138M")
    assert 2 * sum(row.macs for row in found.values()) == printed("30.9B")


def test_the_two_tower_alexnet_has_the_published_figures():
    # Layers of Krizhevsky et al. 2012 with the multiply-accumulates and weights usually printed
    # for it; torchvision's AlexNet has one tower and other widths.
    net = nn.Sequential(
        nn.Conv2d(3, 96, 11, 4),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(96, 256, 5, padding=2, groups=2),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(256, 384, 3, padding=1),
        nn.Conv2d(384, 384, 3, padding=1, groups=2),
        nn.Conv2d(384, 256, 3, padding=1, groups=2),
        nn.MaxPool2d(3, 2),
        nn.Flatten(),
        nn.Linear(9216, 4096),
        nn.Linear(4096, 4096),
        nn.Linear(4096, 1000),
    )
    found = profile(net.to("meta"), (3, 227, 227))
    macs = ["105M", "223M", "149M", "112M", "74M", "37M", "16M", "4M"]
    assert [row.macs for row in found] == [printed(figure) for figure in macs]
    weights = {0: "35K", 1: "307K", 2: "884K", 4: "442K", 5: "37M", 6: "16M", 7: "4M"}
    assert all(found[i].weights == printed(figure) for i, figure in weights.items())


@pytest.mark.parametrize(
    "name",
    ["alexnet", "resnet50", "mobilenet_v2", "densenet121", "vit_b_16", "efficientnet_b0"],
)
def test_agrees_with_what_torchvision_publishes(name):
    models = import_torchvision().models
    weights = models.get_model_weights(name).DEFAULT
    net = on_meta(models.get_model, name=name)
    found = profile(net, (3, *weights.transforms().crop_size * 2))
    assert sum(row.macs for row in found) / 1e9 == pytest.approx(weights.meta["_ops"], abs=6e-4)
    assert all(row.activations for row in found if row.name != "")
    stored = sum(t.numel() * t.element_size() for t in net.state_dict().values())
    assert sum(row.bytes for row in found) == stored


def test_the_network_is_left_as_it_was():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.Flatten())
    net[1].eval()
    before = copy.deepcopy(net.state_dict())
    torch.manual_seed(1)
    state = torch.get_rng_state()
    profile(net, (1, 5, 5))
    assert torch.equal(torch.get_rng_state(), state)
    assert [m.training for m in net] == [True, False, True, True]
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in net.parameters())
    assert all(not m._forward_hooks for m in net.modules())


def test_a_wrong_input_shape_is_named_and_the_network_still_left_as_it_was():
    net = lenet_5()
    with pytest.raises(ValueError, match=r"input_shape: the network does not take .*\(3, 28, 28\)"):
        profile(net, (3, 28, 28))
    assert net.training
    assert all(not m._forward_hooks for m in net.modules())


@pytest.mark.parametrize("shape", [(), (0, 3), (1.5,), None, 28])
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(ValueError, match="input_shape: expected the positive sizes of one input"):
        profile(nn.Linear(1, 1), shape)


def test_what_is_no_network_is_refused():
    with pytest.raises(TypeError, match=r"net must be a torch\.nn\.Module; got int"):
        profile(3, (1,))


def test_input_shape_comes_from_the_data_before_the_network():
    net = lenet_5()
    assert input_shape(net) is None
    net.input_shape = (1, 28, 28)
    assert input_shape(net) == (1, 28, 28)
    images = TensorDataset(torch.zeros(2, 3, 8, 8), torch.zeros(2, dtype=torch.int64))
    assert input_shape(net, Data(images, images)) == (3, 8, 8)
