"""Penalties against their formulas written out, and their gradients at zero."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sameness import assert_same_outputs
from torch import nn

from explorer.compress.networks.weights import compressible
from explorer.train.penalties import (
    L1,
    L2,
    IncomingNorm,
    OutgoingNorm,
    check_penalties,
    input_channels,
)

KINDS = (L1, L2, IncomingNorm, OutgoingNorm)


def lenet_like():
    """A convolution, another, a flattened dense layer and a last one."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 2), nn.Conv2d(3, 4, 2), nn.Flatten(), nn.Linear(4 * 9, 5), nn.Linear(5, 2)
    )


def test_by_hand():
    layers = {"a": torch.tensor([[3.0, 0.0], [4.0, 0.0]]), "b": torch.tensor([[0.0, -2.0]])}
    assert L1(strength=0.5).value(layers).item() == 0.5 * 9
    assert L2(strength=0.5).value(layers).item() == 0.5 * 29
    assert IncomingNorm(strength=0.5).value(layers).item() == 0.5 * (3 + 4 + 2)
    assert OutgoingNorm(strength=0.5).value(layers).item() == 0.5 * (5 + 0 + 0 + 2)


def test_rows_and_columns_of_convolutions_and_flattened_maps():
    conv1, conv2, dense, last = (w.detach() for w in compressible(lenet_like()).values())
    layers = dict(zip("abcd", (conv1, conv2, dense, last), strict=True))
    rows = sum(float((r**2).sum() ** 0.5) for w in layers.values() for r in w)
    assert IncomingNorm(strength=1.0).value(layers).item() == pytest.approx(rows, rel=1e-5)
    groups = [conv1[:, 0], *(conv2[:, i] for i in range(3)), *(last[:, i] for i in range(5))]
    # Filter i of the second convolution is columns 9 i to 9 i + 8 of the dense layer.
    groups += [dense[:, 9 * i : 9 * i + 9] for i in range(4)]
    columns = sum(float((g**2).sum() ** 0.5) for g in groups)
    assert OutgoingNorm(strength=1.0).value(layers).item() == pytest.approx(columns, rel=1e-5)


def test_the_columns_of_a_filter_are_those_that_its_map_is_flattened_to():
    net = lenet_like()
    dense = net[3].weight
    channels = input_channels(dense, net[1].weight)
    with torch.no_grad():
        dense.view(5, channels, -1)[:, 2] = 0
        one = torch.randn(1, 1, 5, 5)
        before = net(one)
        net[1].weight[2] += 1.0
        assert_same_outputs(net(one), before)


def test_channels_where_maps_are_pooled_or_do_not_fit():
    conv = torch.zeros(4, 1, 3, 3)
    assert input_channels(torch.zeros(10, 4), conv) == 4
    assert input_channels(torch.zeros(10, 7), conv) == 7
    assert input_channels(torch.zeros(10, 8), torch.zeros(4, 3)) == 8
    assert input_channels(torch.zeros(10, 8), None) == 8
    assert input_channels(torch.zeros(6), conv) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_at_zero_are_zero(kind):
    weight = torch.zeros(3, 4, requires_grad=True)
    kind(strength=1.0).value({"a": weight}).backward()
    assert torch.equal(weight.grad, torch.zeros(3, 4))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_where_a_row_and_a_column_are_zero(kind):
    weight = torch.tensor([[1.0, 0.0], [0.0, 0.0]], requires_grad=True)
    kind(strength=1.0).value({"a": weight}).backward()
    expected = {L1: 1.0, L2: 2.0, IncomingNorm: 1.0, OutgoingNorm: 1.0}[kind]
    assert torch.equal(weight.grad, torch.tensor([[expected, 0.0], [0.0, 0.0]]))


@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.floats(0.125, 8),
    st.integers(0, 1000),
    st.sampled_from(KINDS),
)
def test_scaling_weights_scales_norms(n_rows, n_columns, factor, seed, kind):
    weight = torch.randn(n_rows, n_columns, generator=torch.Generator().manual_seed(seed))
    penalty = kind(strength=0.1)
    once, scaled = penalty.value({"a": weight}), penalty.value({"a": factor * weight})
    power = 2 if kind is L2 else 1
    assert scaled.item() == pytest.approx(factor**power * once.item(), rel=1e-4)
    assert once.item() >= 0


def test_a_pattern_chooses_layers():
    layers = {"conv1": torch.ones(2, 2), "fc1": torch.ones(3, 3)}
    assert L1(strength=1.0, pattern="fc*").value(layers).item() == 9
    with pytest.raises(ValueError, match=r"L1: pattern 'x' matches no layer.*conv1, fc1"):
        L1(strength=1.0, pattern="x").value(layers)


@pytest.mark.parametrize("kind", KINDS)
def test_bad_strengths(kind):
    with pytest.raises(ValueError, match=rf"{kind.__name__}: strength must be finite and at least"):
        kind(strength=-1.0)
    with pytest.raises(ValueError, match="strength must be finite"):
        kind(strength=float("nan"))
    with pytest.raises(TypeError, match="strength must be a number; got None"):
        kind(strength=None)


def test_words_and_bad_penalties():
    assert L2(strength=0.001).describe() == "L2 penalty, λ = 0.001"
    assert all(kind.latex.startswith(r"\lambda") for kind in KINDS)
    assert check_penalties(L1()) == (L1(),)
    with pytest.raises(TypeError, match="penalties: expected penalties such as"):
        check_penalties([0.1])
