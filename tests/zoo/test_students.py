"""Networks of different shapes with equally many parameters."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.zoo.students import convolutional, deep, n_parameters, shallow, two_layers

BUILDERS = [shallow, deep, convolutional]


def widths(net):
    return [layer.out_features for layer in net if isinstance(layer, nn.Linear)]


def test_widths_by_hand():
    # 784 w + w + 10 w + 10 = 795 w + 10.
    assert widths(shallow(795 * 300 + 10)) == [300, 10]
    # 784 * 50 + 50 w + w + 10 w + 10, without a bias in the bottleneck.
    net = shallow(39_200 + 61 * 2000 + 10, bottleneck=50)
    assert widths(net) == [50, 2000, 10]
    assert net.bottleneck.bias is None
    # 784 w + w + 2 (w w + w) + 10 w + 10.
    assert widths(deep(784 * 100 + 100 + 2 * 10_100 + 1010)) == [100, 100, 100, 10]


@pytest.mark.parametrize("build", BUILDERS)
@settings(max_examples=8)
@given(n_weights=st.integers(200_000, 3_000_000))
def test_within_a_hundredth(build, n_weights):
    assert n_parameters(build(n_weights)) == pytest.approx(n_weights, rel=0.01)


@pytest.mark.parametrize("build", BUILDERS)
def test_other_inputs_and_classes(build):
    net = build(300_000, input_shape=(3, 16, 20), n_classes=7)
    assert net(torch.zeros(2, 3, 16, 20)).shape == (2, 7)
    assert n_parameters(net) == pytest.approx(300_000, rel=0.01)


def test_layers_have_names():
    assert list(dict(shallow(100_000, bottleneck=20).named_children())) == [
        *("flatten", "bottleneck", "fc1", "relu1", "fc2")
    ]
    hidden = ["fc1", "relu1", "fc2", "relu2", "fc3", "relu3", "fc4"]
    assert list(dict(deep(100_000).named_children())) == ["flatten", *hidden]
    assert list(dict(convolutional(200_000).named_children())) == [
        *("conv1", "relu0", "pool1", "flatten", *hidden)
    ]


def test_two_layers():
    net = two_layers(1200, input_dropout=0.2, hidden_dropout=0.5)
    names = ["flatten", "drop0", "fc1", "relu1", "drop1", "fc2", "relu2", "drop2", "fc3"]
    assert list(dict(net.named_children())) == names
    assert [net.drop0.p, net.drop1.p, net.drop2.p] == [0.2, 0.5, 0.5]
    assert n_parameters(net) == 784 * 1200 + 1200 + 1200 * 1201 + 12_010
    plain = two_layers(20, input_shape=(5,), n_classes=3)
    assert list(dict(plain.named_children())) == ["flatten", "fc1", "relu1", "fc2", "relu2", "fc3"]
    assert plain(torch.zeros(2, 5)).shape == (2, 3)


def test_weights_follow_torchs_seed_alone():
    found = []
    for n_weights in (238_510, 238_600):
        torch.manual_seed(3)
        found.append(shallow(n_weights))
    assert torch.equal(found[0].fc1.weight, found[1].fc1.weight)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: shallow(1000), ValueError, "no width gives 1,000 .* ask for 805 or 1,600"),
        (lambda: deep(20_000), ValueError, "deep: no width .* ask for 19,399 or 20,290"),
        (lambda: shallow(0), ValueError, "n_weights must be at least 1; got 0"),
        (lambda: shallow(1e6), TypeError, r"n_weights must be an integer; got 1000000\.0"),
        (lambda: shallow(10**5, bottleneck=0), ValueError, "bottleneck must be at least 1"),
        (lambda: deep(10**5, input_shape=(0,)), ValueError, "input_shape's sizes must be at lea"),
        (lambda: convolutional(10**5, input_shape=(784,)), ValueError, r"channels.*got \(784,\)"),
        (lambda: convolutional(10**5, input_shape=(1, 5, 9)), ValueError, "at least 6 pixels"),
        (lambda: two_layers(0), ValueError, "width must be at least 1"),
        (lambda: two_layers(9, input_dropout=1), ValueError, r"input_dropout must be in \[0, 1\)"),
        (lambda: two_layers(9, hidden_dropout=None), TypeError, "hidden_dropout must be a number"),
    ],
)
def test_bad_arguments(make, error, words):
    with pytest.raises(error, match=words):
        make()
