"""Uniform quantization: levels by hand, torch's and numpy's rounding, zeros, bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize, Quantized

draw = st.builds(
    lambda seed, rows, columns: torch.randn(
        rows, columns, generator=torch.Generator().manual_seed(seed)
    ),
    st.integers(0, 1000),
    st.integers(1, 12),
    st.integers(1, 30),
)


def test_by_hand_two_bits_make_four_even_levels():
    record = Quantize(bits=2)(torch.tensor([-1.0, -0.6, 0.4, 2.0, 0.6]))
    assert isinstance(record, Quantized)
    # Levels -1, 0, 1, 2.
    assert record.codes.tolist() == [0, 0, 1, 3, 2]
    assert record.restore().tolist() == [-1.0, -1.0, 0.0, 2.0, 1.0]
    # Five codes of two bits, and two float32 ends.
    assert record.field_bits == (0, 10, 64)


def test_by_hand_a_channel_has_its_own_levels():
    weight = torch.tensor([[-1.0, 1.0, 0.3], [10.0, 30.0, 19.0]])
    record = Quantize(bits=1, granularity="channel")(weight)
    assert record.restore().tolist() == [[-1, 1, 1], [10, 30, 10]]
    assert record.field_bits == (0, 6, 2 * 64)


@given(draw, st.integers(1, 8))
def test_every_weight_moves_by_half_a_step_at_most(weight, bits):
    restored = Quantize(bits=bits)(weight).restore()
    step = float(weight.max() - weight.min()) / (2**bits - 1)
    assert float((restored - weight).abs().max()) <= step / 2 * (1 + 1e-5) + 1e-6
    assert len(restored.unique()) <= 2**bits
    assert restored.min() == weight.min()
    assert float(restored.max()) == pytest.approx(float(weight.max()), rel=1e-6)


@given(draw, st.integers(1, 8), st.sampled_from(["tensor", "channel"]))
def test_same_as_numpy(weight, bits, granularity):
    restored = Quantize(bits=bits, granularity=granularity)(weight).restore().numpy()
    exact = weight.double().numpy()
    axis = None if granularity == "tensor" else 1
    low, high = exact.min(axis, keepdims=True), exact.max(axis, keepdims=True)
    step = (high - low) / (2**bits - 1)
    safe = np.where(step > 0, step, 1)
    expected = low + step * np.floor((exact - low) / safe + 0.5)
    np.testing.assert_allclose(restored, expected, rtol=1e-6, atol=1e-6)


@given(draw, st.integers(1, 254))
def test_same_codes_as_torch_where_its_zero_point_is_ours(weight, zero_point):
    # A range whose low end is -zero_point steps makes torch's affine levels ours.
    step = 1 / 64
    levels = (torch.arange(256) - zero_point) * step
    flat = torch.cat([weight.flatten().clamp(levels[0], levels[-1]), levels[[0, -1]]])
    flat[flat == 0] = levels[0]
    theirs = torch.fake_quantize_per_tensor_affine(flat, step, zero_point, 0, 255)
    ours = Quantize(bits=8)(flat)
    halves = ((flat / step) % 1 - 0.5).abs() < 1e-4
    assert torch.equal(ours.restore()[~halves], theirs[~halves])


@pytest.mark.parametrize("granularity", ["tensor", "channel"])
@given(draw, st.floats(0, 1), st.integers(1, 8))
def test_pruned_weights_stay_zero_and_take_no_part(granularity, weight, sparsity, bits):
    pruned = Prune(sparsity=sparsity)(weight)
    record = pruned.then(Quantize(bits, granularity))
    restored = record.restore()
    assert not restored[~pruned.mask].any()
    assert record.codes.numel() == int(pruned.mask.sum())
    if granularity == "tensor" and pruned.mask.any():
        assert restored[pruned.mask].min() == weight[pruned.mask].min()


def test_exact_zeros_stay_zero_without_a_pruning_step():
    restored = Quantize(bits=1)(torch.tensor([0.0, 1.0, 2.0, 0.0])).restore()
    assert restored.tolist() == [0, 1, 2, 0]


def test_a_constant_weight_is_kept():
    weight = torch.full((3, 4), -0.3)
    for granularity in ("tensor", "channel"):
        assert torch.equal(Quantize(3, granularity)(weight).restore(), weight)


def test_the_type_of_half_weights_is_kept():
    weight = torch.tensor([-1.0, 0.3, 1.0], dtype=torch.float16)
    restored = Quantize(bits=1)(weight).restore()
    assert restored.dtype == torch.float16
    assert restored.tolist() == [-1, 1, 1]


@pytest.mark.parametrize("bits", [0, 9, -1])
def test_bits_out_of_range_are_refused(bits):
    with pytest.raises(ValueError, match=f"Quantize: bits must be from 1 to 8; got {bits}"):
        Quantize(bits=bits)


def test_other_bad_fields_are_refused():
    with pytest.raises(TypeError, match=r"bits must be an integer; got 4.0"):
        Quantize(bits=4.0)
    with pytest.raises(TypeError, match="bits must be an integer; got True"):
        Quantize(bits=True)
    with pytest.raises(ValueError, match="granularity must be one of 'tensor', 'channel'"):
        Quantize(granularity="row")


def test_in_words():
    assert Quantize().describe() == "Quantize 8 bits"
    assert Quantize(1, "channel").describe() == "Quantize 1 bit a channel"
