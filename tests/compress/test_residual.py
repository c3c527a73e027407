"""Residual quantization: by hand, faiss's error, stages, exact sizes, later steps, bad input."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.compress.coding.positions import support_code
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.registry import MethodRegistry
from explorer.compress.methods.residual import (
    Residual,
    ResidualQuantized,
    printed_residual_rate,
    residual_rate,
)
from explorer.compress.records.record import Dense
from explorer.compress.records.spec import TensorSpec

faiss = pytest.importorskip("faiss")


def draws(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


matrices = st.builds(
    lambda seed, rows, columns: draws(rows, columns, seed=seed),
    st.integers(0, 1000),
    st.integers(1, 30),
    st.integers(1, 60),
)
residuals = st.builds(Residual, st.integers(1, 5), st.integers(1, 20))


def relative(weight, restored):
    return float((restored.double() - weight).norm() / weight.double().norm())


def test_by_hand_two_stages():
    weight = torch.tensor([[0.0, 1.0], [0.0, 3.0], [8.0, 1.0], [8.0, 3.0]])
    record = Residual(n_stages=2, n_centroids=2)(weight)
    assert isinstance(record, ResidualQuantized)
    # First the means [0, 2] and [8, 2]; what is left is [0, -1] or [0, 1].
    first, second = ({tuple(row) for row in stage.tolist()} for stage in record.centroids)
    assert first == {(0.0, 2.0), (8.0, 2.0)}
    assert second == {(0.0, -1.0), (0.0, 1.0)}
    assert torch.equal(record.restore(), weight)
    # Eight codes of one bit, two float32 codebooks of 2 x 2.
    assert record.field_bits == (8, 2 * 4 * 32)
    assert record.layout == {"kind": "residual", "stages": 2, "centroids": 2}
    expected = torch.tensor([2 / (2 * 64 + 2 * 1 + 2 * 9) ** 0.5, 0.0])
    torch.testing.assert_close(record.stage_errors(weight), expected)


def test_by_hand_rates():
    # 32 * 1000 * 100 bits over two stages of 16 x 100 numbers and 1000 codes of 4 bits.
    assert residual_rate(1000, 100, n_stages=2, n_centroids=16) == 3.2e6 / (2 * (51200 + 4000))
    assert printed_residual_rate(1000, 100, n_stages=2, n_centroids=16) == 1000 / (32 + 800)


@given(*[st.integers(1, 999)] * 3, st.integers(1, 256))
def test_the_two_formulas_differ_by_what_a_code_is_charged(rows, columns, stages, k):
    ours = rows / residual_rate(rows, columns, stages, k)
    printed = rows / printed_residual_rate(rows, columns, stages, k)
    code = stages * np.log2(k)
    expected = code * (columns - rows / (32 * columns))
    assert printed - ours == pytest.approx(expected, rel=1e-9, abs=1e-6 * printed)


def test_the_formula_is_the_size_of_the_record_where_codes_have_whole_bits():
    record = Residual(3, 16)(draws(200, 50))
    assert 32 * 200 * 50 / record.size_bits == residual_rate(200, 50, 3, 16)


@given(matrices, residuals)
def test_each_row_is_the_sum_of_one_centroid_a_stage(weight, residual):
    record = residual(weight)
    assert record.n_stages <= residual.n_stages
    assert record.n_centroids <= min(residual.n_centroids, len(weight))
    assert record.codes.shape == (record.n_stages, len(weight))
    books = record.codebook.restore().reshape(record.n_stages, record.n_centroids, -1)
    total = torch.zeros_like(weight)
    for book, codes in zip(books, record.codes.long(), strict=True):
        total = total + book[codes]
    assert torch.equal(record.restore(), total)


@given(matrices, residuals)
def test_no_stage_adds_to_the_error(weight, residual):
    record = residual(weight)
    errors = record.stage_errors(weight)
    assert errors.shape == (record.n_stages,)
    assert bool((errors.diff() <= 1e-6).all())
    assert float(errors[0]) <= 1 + 1e-6
    assert float(errors[-1]) == pytest.approx(relative(weight, record.restore()), abs=1e-6)


@given(matrices, residuals)
def test_fewer_stages_are_the_first_of_more(weight, residual):
    whole = residual(weight)
    first = Residual(1, residual.n_centroids)(weight)
    assert torch.equal(first.codes[0], whole.codes[0])
    assert float(first.stage_errors(weight)[0]) == float(whole.stage_errors(weight)[0])


@settings(max_examples=50)
@given(matrices, residuals, st.floats(0, 1))
def test_the_layout_gives_the_size(weight, residual, sparsity):
    for record in (
        residual(weight),
        Prune(sparsity=sparsity)(weight).then(residual),
        residual(weight).then(Prune(sparsity=sparsity)),
    ):
        layout = json.loads(json.dumps(record.layout))
        read = TensorSpec(layout, weight.shape, weight.dtype, MethodRegistry().kind)
        assert read.field_bits == record.field_bits
        assert ResidualQuantized.codebook_shape_in(read) == record.codebook.shape
        n_kept = int(record.mask.sum()) if record.mask is not None else weight.numel()
        assert record.size_bits == (
            support_code(weight.numel(), n_kept).size_bits
            + record.codes.numel() * record.code_bits
            + 32 * record.codebook.n_weights
        )


@given(matrices, residuals, st.floats(0, 1))
def test_pruned_weights_stay_zero(weight, residual, sparsity):
    pruned = Prune(sparsity=sparsity)(weight)
    record = pruned.then(residual)
    assert not record.restore()[~pruned.mask].any()
    error = relative(pruned.restore(), record.restore()) if pruned.mask.any() else 0
    last = record.stage_errors(pruned.restore())[-1]
    assert float(last) == pytest.approx(error, abs=1e-6)


@given(matrices)
def test_as_many_centroids_as_rows_keep_every_weight_in_one_stage(weight):
    record = Residual(n_stages=3, n_centroids=30)(weight)
    assert torch.equal(record.restore(), weight)
    assert record.n_stages == 1


def test_equal_rows_and_zero_weights_take_one_centroid():
    record = Residual(4, 16)(draws(1, 12).expand(40, 12))
    assert record.field_bits == (0, 12 * 32)
    zeros = Residual(4, 16)(torch.zeros(40, 12))
    assert not zeros.restore().any()
    assert zeros.stage_errors(torch.zeros(40, 12)).tolist() == [0]


def test_stages_with_unlike_numbers_of_centroids_are_filled_up():
    # Two distinct rows but one centroid each for the residuals of equal rows.
    weight = torch.tensor([[0.0], [1.0], [10.0], [11.0], [20.0], [21.0]])
    record = Residual(n_stages=2, n_centroids=3)(weight)
    assert torch.equal(record.restore(), weight)
    assert record.codebook.shape == (6, 1)
    assert record.centroids[1, 2].tolist() == [0]


@pytest.mark.parametrize("n_stages", [1, 4])
def test_no_farther_than_faiss(n_stages):
    weight = draws(2000, 24)
    theirs = faiss.ResidualQuantizer(24, n_stages, 4)
    theirs.max_beam_size = 1
    theirs.train(weight.numpy())
    decoded = torch.from_numpy(theirs.decode(theirs.compute_codes(weight.numpy())))
    ours = Residual(n_stages, 16)(weight).restore()
    assert relative(weight, ours) <= 1.01 * relative(weight, decoded)


def test_a_kernel_is_seen_as_a_matrix_of_filters():
    kernel = draws(6, 3, 2, 2)
    record = Residual(2, 3)(kernel)
    as_matrix = Residual(2, 3)(kernel.reshape(6, 12))
    assert torch.equal(record.restore(), as_matrix.restore().reshape(kernel.shape))
    assert record.field_bits == as_matrix.field_bits


def test_a_tensor_with_one_axis_is_left_alone():
    weight = torch.tensor([1.0, 2.0])
    record = Residual()(weight)
    assert isinstance(record, Dense)
    assert torch.equal(record.restore(), weight)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_weights_keep_their_type(dtype):
    weight = draws(30, 10).to(dtype)
    record = Residual(3, 4)(weight)
    assert record.restore().dtype == record.dtype == record.codebook.restore().dtype == dtype
    assert record.field_bits == (3 * 30 * 2, 3 * 4 * 10 * 16)
    assert bool((record.stage_errors(weight).diff() < 0.01).all())


def test_quantizing_afterwards_quantizes_the_codebooks():
    residual = Residual(4, 8)(draws(100, 12))
    record = residual.then(Quantize(bits=8))
    assert torch.equal(record.codes, residual.codes)
    expected = Quantize(bits=8)(residual.codebook.restore())
    assert torch.equal(record.codebook.restore(), expected.restore())
    assert record.field_bits[-1] == expected.size_bits
    assert record.size_bits == 4 * 100 * 3 + 4 * 8 * 12 * 8 + 64


def test_pruning_afterwards_keeps_codes_and_codebooks():
    record = Residual(2, 8)(draws(25, 12)).then(Prune(sparsity=0.25))
    assert isinstance(record, ResidualQuantized)
    assert int((record.restore() == 0).sum()) == 75


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"n_stages": 0}, "n_stages must be from 1 to 64; got 0"),
        ({"n_centroids": 5000}, "n_centroids must be from 1 to 4096; got 5000"),
    ],
)
def test_values_out_of_range_are_refused(fields, words):
    with pytest.raises(ValueError, match=f"Residual: {words}"):
        Residual(**fields)


def test_values_of_another_type_are_refused():
    with pytest.raises(TypeError, match="Residual: n_stages must be an integer; got '2'"):
        Residual(n_stages="2")


def test_in_words():
    assert Residual(1, 16).describe() == "Residual 1 stage × 16"
    assert Residual(4, 16).describe() == "Residual 4 stages × 16"
