"""Products of 8-bit integers: by hand, against the product of what they stand for, bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.measure import integer_products as integer_product
from explorer.measure.integer_products import IntegerInputs, IntegerMatrix


def normal(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_by_hand():
    # Levels 1, 2, 3, 4 with 2 bits: codes 0, 1, 3, less 128.
    matrix = IntegerMatrix.of(Quantize(bits=2)(torch.tensor([[1.0, 2.2, 4.0]])))
    assert matrix.codes.tolist() == [[-128, -127, -125]]
    assert (matrix.step.tolist(), matrix.middle.tolist()) == ([1], [129])
    # Inputs of steps of 2 / 127: 2 is 127, -1 is -64 (rounded half to even).
    inputs = IntegerInputs.of(torch.tensor([[2.0, -1.0, 0.0]]))
    assert inputs.codes.tolist() == [[127, -64, 0]]
    assert matrix.product(inputs).item() == pytest.approx((127 - 2 * 64) * 2 / 127, rel=1e-4)


@given(
    st.integers(0, 99),
    st.integers(1, 9),
    st.integers(1, 200),
    st.integers(1, 20),
    st.integers(1, 8),
    st.sampled_from(["tensor", "channel"]),
    st.floats(-3, 3),
)
def test_the_product_is_that_of_the_levels(
    seed, n_rows, width, n_inputs, bits, granularity, offset
):
    weight = normal(seed, n_rows, width) + offset
    record = Quantize(bits=bits, granularity=granularity)(weight)
    inputs = IntegerInputs.of(normal(seed + 100, n_inputs, width))
    found = IntegerMatrix.of(record).product(inputs)
    expected = inputs.restore().double() @ record.restore().double().T
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-3)


def test_sums_are_exact_at_their_largest():
    # Codes 127 and -128 throughout, as wide as a large layer.
    record = Quantize(bits=8)(torch.tensor([[-1.0] * 9000, [1.0] * 9000]))
    inputs = IntegerInputs.of(torch.ones(3, 9000))
    found = IntegerMatrix.of(record).product(inputs).numpy()
    np.testing.assert_allclose(found, [[-9000, 9000]] * 3, rtol=1e-5)


@given(st.integers(0, 99), st.integers(1, 40))
def test_inputs_move_by_half_a_step_at_most(seed, width):
    inputs = normal(seed, 3, width)
    rounded = IntegerInputs.of(inputs)
    assert float((rounded.restore() - inputs).abs().max()) <= rounded.scale / 2 * 1.001
    assert int(rounded.codes.abs().max()) == 127


def test_inputs_of_zeros_stay_zeros():
    assert not IntegerInputs.of(torch.zeros(2, 3)).restore().any()


def test_a_kernel_is_seen_as_a_matrix_of_filters():
    record = Quantize(bits=8)(normal(0, 6, 3, 5, 5))
    patches = IntegerInputs.of(normal(1, 4, 75))
    expected = patches.restore() @ record.restore().reshape(6, 75).T
    torch.testing.assert_close(
        IntegerMatrix.of(record).product(patches), expected, rtol=1e-4, atol=1e-4
    )


def test_the_weights_take_a_byte_each():
    assert IntegerMatrix.of(Quantize()(normal(0, 10, 60))).n_bytes == 600 + 8


def test_pruned_weights_are_refused():
    record = Prune(sparsity=0.5)(normal(0, 4, 4)).then(Quantize())
    with pytest.raises(ValueError, match="record: pruned weights have no code"):
        IntegerMatrix.of(record)


def test_sums_beyond_32_bits_are_refused(monkeypatch):
    assert 127 * 128 * integer_product.MAX_WIDTH < 1 << 31
    monkeypatch.setattr(integer_product, "MAX_WIDTH", 3)
    with pytest.raises(ValueError, match="rows of 4 weights; sums of more than 3 products"):
        IntegerMatrix.of(Quantize()(normal(0, 4, 4)))


def test_inputs_of_another_shape_are_refused():
    matrix = IntegerMatrix.of(Quantize()(normal(0, 3, 7)))
    with pytest.raises(ValueError, match="inputs: expected width 7, got 8"):
        matrix.product(torch.ones(2, 8))
    with pytest.raises(ValueError, match=r"inputs: expected shape \(n, width\), got \(7,\)"):
        matrix.product(torch.ones(7))


@pytest.mark.parametrize("n_rows", [1, 2, 3, 40])
@pytest.mark.parametrize("n_inputs", [1, 2, 17])
def test_a_single_column_is_multiplied_as_well(n_rows, n_inputs):
    record = Quantize(bits=1)(normal(0, n_rows, 1))
    inputs = IntegerInputs.of(normal(100, n_inputs, 1))
    expected = inputs.restore().double() @ record.restore().double().T
    found = IntegerMatrix.of(record).product(inputs)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-3)
