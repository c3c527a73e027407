"""Magnitude pruning: exact counts, known masks, torch's own pruning, bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune as torch_prune

from explorer.compress.methods.prune import Prune
from explorer.compress.records.coded import Sparse

ENDS = [-2.0, 0.5, 0.5, -0.5, 0.0, 1.0]


def draws(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def ties(seed, n):
    return torch.randint(-3, 4, (n,), generator=torch.Generator().manual_seed(seed)) / 4


def n_zeros(tensor):
    return int((tensor == 0).sum())


def test_by_hand_the_smallest_magnitudes_go():
    weight = torch.tensor([[0.3, -0.1], [0.2, -0.9]])
    record = Prune(sparsity=0.5)(weight)
    assert isinstance(record, Sparse)
    assert record.mask.tolist() == [[True, False], [False, True]]
    assert record.values.tolist() == pytest.approx([0.3, -0.9])
    # Four positions: a bitmap of 4 bits; two float32 values.
    assert record.field_bits == (4, 64)
    assert record.size_bits == 68


def test_by_hand_ties_go_negative_first_then_in_row_major_order():
    # Magnitude 0.5 three times; the exact zero and two of them go.
    record = Prune(sparsity=0.5)(torch.tensor(ENDS))
    assert record.restore().tolist() == [-2.0, 0.0, 0.5, 0.0, 0.0, 1.0]


def test_by_hand_a_threshold_keeps_what_equals_it():
    record = Prune(threshold=0.5)(torch.tensor([*ENDS, 0.499]))
    assert record.restore().tolist() == [-2.0, 0.5, 0.5, -0.5, 0.0, 1.0, 0.0]


def test_a_threshold_between_two_float32_numbers():
    below, above = np.nextafter(np.float32(0.1), np.float32(0)), np.float32(0.1)
    weight = torch.tensor([float(below), float(above)])
    # 0.1 in float32 is a little more than the double 0.1, its lower neighbor less.
    assert (Prune(threshold=0.1)(weight).restore() != 0).tolist() == [False, True]


@given(st.integers(0, 500), st.integers(1, 300), st.floats(0, 1))
def test_exactly_the_rounded_number_of_weights_becomes_zero(seed, n, sparsity):
    weight = draws(seed, n)
    assert n_zeros(Prune(sparsity=sparsity)(weight).restore()) == round(sparsity * n)


@given(st.integers(0, 500), st.integers(1, 300), st.floats(0, 1))
def test_the_count_is_exact_among_ties_and_zeros(seed, n, sparsity):
    weight = ties(seed, n)
    restored = Prune(sparsity=sparsity)(weight).restore()
    assert n_zeros(restored) == max(round(sparsity * n), n_zeros(weight))
    assert torch.equal(restored[restored != 0], weight[restored != 0])
    gone = weight[restored == 0].abs().max() if n_zeros(restored) else 0
    kept = weight[restored != 0].abs().min() if restored.any() else 2
    assert gone <= kept


@given(st.integers(0, 500), st.integers(1, 60), st.floats(0, 1), st.sampled_from([16, 0]))
def test_the_count_is_exact_in_half_precision(seed, n, sparsity, bits):
    weight = draws(seed, n).to(torch.float16 if bits else torch.bfloat16)
    restored = Prune(sparsity=sparsity)(weight).restore()
    assert restored.dtype == weight.dtype
    assert n_zeros(restored) == max(round(sparsity * n), n_zeros(weight))


@given(st.integers(0, 500), st.integers(1, 40), st.integers(1, 20), st.floats(0, 1))
def test_same_mask_as_torch(seed, rows, columns, sparsity):
    layer = nn.Linear(columns, rows, bias=False)
    layer.weight.data = draws(seed, rows, columns)
    ours = Prune(sparsity=sparsity)(layer.weight)
    torch_prune.l1_unstructured(layer, "weight", round(sparsity * rows * columns))
    assert torch.equal(ours.mask, layer.weight_mask.bool())
    assert torch.equal(ours.restore(), layer.weight.detach())


@given(st.integers(0, 200), st.floats(0, 3))
def test_a_threshold_is_a_comparison(seed, threshold):
    weight = draws(seed, 9, 9)
    expected = torch.where(weight.double().abs() < threshold, 0, weight)
    assert torch.equal(Prune(threshold=threshold)(weight).restore(), expected)


@given(st.integers(0, 200), st.integers(1, 200), st.floats(0, 1))
def test_random_pruning_counts_exactly_and_spares_no_zero(seed, n, sparsity):
    weight = ties(seed, n)
    step = Prune(sparsity=sparsity, criterion="random")
    restored = step(weight).restore()
    assert n_zeros(restored) == max(round(sparsity * n), n_zeros(weight))
    assert torch.equal(step(weight).restore(), restored)
    assert torch.equal(restored[restored != 0], weight[restored != 0])


def test_random_pruning_does_not_look_at_magnitudes():
    weight = torch.linspace(1, 2, 10_000)
    restored = Prune(sparsity=0.5, criterion="random")(weight).restore()
    assert float(restored[restored != 0].mean()) == pytest.approx(1.5, abs=0.02)


def test_ends_of_the_range():
    weight = draws(0, 5, 5)
    assert torch.equal(Prune(sparsity=0)(weight).restore(), weight)
    everything = Prune(sparsity=1)(weight)
    assert not everything.restore().any()
    assert everything.size_bits == 0


def test_pruning_again_keeps_the_larger_cut():
    weight = draws(1, 100)
    twice = Prune(sparsity=0.3)(Prune(sparsity=0.6)(weight))
    assert torch.equal(twice.restore(), Prune(sparsity=0.6)(weight).restore())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "exactly one of sparsity, threshold; got neither"),
        ({"sparsity": 0.5, "threshold": 0.1}, "got sparsity=0.5 and threshold=0.1"),
        ({"sparsity": 90}, r"must be in \[0, 1\]; got 90; .* not a percentage: write 0.9"),
        ({"sparsity": -0.1}, r"sparsity must be in \[0, 1\]; got -0.1$"),
        ({"sparsity": float("nan")}, "got nan"),
        ({"sparsity": 10**400}, r"sparsity must be in \[0, 1\]"),
        ({"threshold": -1}, "threshold must be .*at least 0; got -1"),
        ({"threshold": float("nan")}, "threshold must be .*at least 0; got nan"),
        ({"threshold": float("inf")}, "threshold must be finite .*; got inf"),
        ({"threshold": 10**400}, "threshold must be finite"),
        ({"sparsity": 0.5, "scope": "net"}, "scope must be one of 'layer', 'model'; got 'net'"),
        ({"sparsity": 0.5, "criterion": "obs"}, "criterion must be one of .*; got 'obs'"),
        ({"threshold": 0.5, "criterion": "random"}, "'random' takes sparsity, not threshold"),
    ],
)
def test_values_out_of_range_are_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        Prune(**fields)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sparsity": "0.5"}, "sparsity must be a number"),
        ({"sparsity": True}, "sparsity must be a number.*; got True"),
        ({"threshold": "small"}, "threshold must be a number; got 'small'"),
    ],
)
def test_values_of_another_type_are_refused(fields, words):
    with pytest.raises(TypeError, match=words):
        Prune(**fields)


def test_weights_that_are_not_numbers_are_refused():
    with pytest.raises(ValueError, match=r"NaN or infinite entries \(2 of 3\); repair"):
        Prune(sparsity=0.5)(torch.tensor([1.0, float("nan"), float("inf")]))
    with pytest.raises(ValueError, match=r"weight is empty: shape \(0, 3\)"):
        Prune(sparsity=0.5)(torch.empty(0, 3))
    with pytest.raises(TypeError, match=r"got torch.int64. Convert it first"):
        Prune(sparsity=0.5)(torch.arange(3))
    with pytest.raises(TypeError, match=r"must be a torch.Tensor; got ndarray"):
        Prune(sparsity=0.5)(np.ones(3))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Prune(sparsity=0.9), "Prune 90%"),
        (Prune(sparsity=0.123456), "Prune 12.35%"),
        (Prune(threshold=0.05), "Prune below 0.05"),
        (Prune(sparsity=0.5, criterion="random"), "Prune random 50%"),
    ],
)
def test_in_words(step, words):
    assert step.describe() == words
