import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.zoo.tensor_files import from_half, rounded, to_half

IN_RANGE = st.floats(-65_000, 65_000, width=32)


@given(st.lists(IN_RANGE, min_size=1, max_size=8))
def test_rounding_is_numpys_and_rounding_twice_changes_nothing(values):
    weight = torch.tensor(values, dtype=torch.float32)
    once = from_half(to_half({"w": weight}))["w"]
    assert once.dtype == torch.float32
    np.testing.assert_array_equal(once.numpy(), weight.numpy().astype(np.float16))
    assert torch.equal(from_half(to_half({"w": once}))["w"], once)


def test_by_hand_ties_go_to_even():
    # Half precision has 11 significant bits: 2048 and 2050 are neighbors, 2049 between them.
    weight = torch.tensor([2049.0, 2051.0, 0.1])
    assert from_half(to_half({"w": weight}))["w"].tolist() == [2048.0, 2052.0, 0.0999755859375]


def test_integers_and_single_precision_are_handed_through():
    tensors = {"n": torch.tensor([70_000]), "w": torch.ones(2)}
    assert to_half(tensors)["n"].dtype == torch.int64
    given_back = from_half(tensors)
    assert given_back["w"] is tensors["w"]
    assert given_back["n"] is tensors["n"]


def test_values_beyond_half_precision_are_refused():
    with pytest.raises(ValueError, match="w holds 70000, and half precision ends at 65,504"):
        to_half({"w": torch.tensor([1.0, 70_000.0])})


def test_a_rounded_network_is_a_copy():
    net = nn.Linear(5, 3)
    before = net.weight.detach().clone()
    twin = rounded(net)
    assert torch.equal(net.weight, before)
    assert torch.equal(twin.weight, before.half().float())
    assert twin.weight.requires_grad
