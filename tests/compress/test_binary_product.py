"""Products of signs: by hand, exact against the float product at any width, bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.prune import Prune
from explorer.measure.binary_matrix import MANY, PackedSigns, SignMatrix


def normal(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def signs(values):
    return torch.where(values >= 0, 1.0, -1.0).double()


def test_by_hand():
    # Signs + - +, scale 2: against + + - that is 2 (1 - 1 - 1), against itself 2 x 3.
    matrix = SignMatrix.of(Binarize(scale="tensor")(torch.tensor([[1.0, -3.0, 2.0]])))
    assert matrix.words.tolist() == [[0b101]]
    assert matrix.product(torch.tensor([[5.0, 0.0, -1.0], [1, -1, 1]])).tolist() == [[-2], [6]]


def test_by_hand_the_second_word():
    inputs = -torch.ones(1, 66)
    inputs[0, 65] = 0.0
    assert PackedSigns.of(inputs).words.tolist() == [[0, 0b10]]


# Words are taken four at a time where there are many inputs.
widths = st.one_of(st.integers(1, 600), st.sampled_from([64, 128, 255, 256, 257, 512]))


@settings(max_examples=80)
@given(
    st.integers(0, 99),
    st.integers(1, 9),
    widths,
    st.one_of(st.integers(1, 8), st.integers(MANY - 1, MANY + 2)),
    st.sampled_from(["none", "tensor", "channel"]),
)
def test_the_product_is_that_of_the_signs(seed, n_rows, width, n_inputs, scale):
    weight, inputs = normal(seed, n_rows, width), normal(seed + 100, n_inputs, width)
    inputs[0, 0] = 0.0
    matrix = SignMatrix.of(Binarize(scale=scale)(weight))
    whole = (signs(inputs) @ signs(weight).T).float()
    found = matrix.product(inputs)
    assert torch.equal(found, whole * torch.from_numpy(matrix.scales))
    dense = Binarize(scale=scale)(weight).restore().double()
    torch.testing.assert_close(found.double(), signs(inputs) @ dense.T, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("n_inputs", [1, MANY])
def test_work_spread_over_threads_is_the_same(n_inputs):
    # More than two chunks of work, and rows that do not divide by them.
    weight, inputs = normal(0, 4099, 3000), normal(1, n_inputs, 3000)
    matrix = SignMatrix.of(Binarize(scale="channel")(weight))
    whole = (signs(inputs) @ signs(weight).T).float()
    assert torch.equal(matrix.product(inputs), whole * torch.from_numpy(matrix.scales))


@pytest.mark.parametrize("n_inputs", [1, 5, MANY, MANY + 1])
def test_packed_signs_restore(n_inputs):
    inputs = normal(3, n_inputs, 130)
    packed = PackedSigns.of(inputs)
    assert torch.equal(packed.restore().double(), signs(inputs))
    matrix = SignMatrix.of(Binarize()(normal(4, 7, 130)))
    assert torch.equal(matrix.product(packed), matrix.product(inputs))


def test_a_kernel_is_seen_as_a_matrix_of_filters():
    kernel, patches = normal(0, 6, 3, 5, 5), normal(1, 4, 75)
    matrix = SignMatrix.of(Binarize(scale="channel")(kernel))
    expected = (
        signs(patches) @ Binarize(scale="channel")(kernel).restore().reshape(6, 75).T.double()
    )
    torch.testing.assert_close(matrix.product(patches).double(), expected)


def test_the_weights_take_a_thirty_second():
    matrix = SignMatrix.of(Binarize()(normal(0, 10, 6400)))
    assert matrix.n_bytes == 10 * 6400 / 8 + 10 * 4
    assert matrix.words.dtype == np.uint64


def test_no_inputs_make_no_outputs():
    assert SignMatrix.of(Binarize()(normal(0, 3, 8))).product(torch.empty(0, 8)).shape == (0, 3)


def test_pruned_weights_are_refused():
    record = Prune(sparsity=0.5)(normal(0, 4, 4)).then(Binarize())
    with pytest.raises(ValueError, match="record: pruned weights are neither plus nor minus"):
        SignMatrix.of(record)


def test_inputs_of_another_shape_are_refused():
    matrix = SignMatrix.of(Binarize()(normal(0, 3, 70)))
    with pytest.raises(ValueError, match="inputs: expected width 70, got 80"):
        matrix.product(torch.ones(2, 80))
    with pytest.raises(ValueError, match=r"inputs: expected shape \(n, width\), got \(70,\)"):
        matrix.product(torch.ones(70))
