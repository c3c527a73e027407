"""Low rank: by hand, Eckart and Young's theorem by an independent decomposition, bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods.low_rank import LowRank, LowRanked, break_even_rank, factorize
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.records.record import Dense

draw = st.builds(
    lambda seed, rows, columns: torch.randn(
        rows, columns, generator=torch.Generator().manual_seed(seed)
    ),
    st.integers(0, 1000),
    st.integers(1, 16),
    st.integers(1, 20),
)


def spread(weight):
    """Singular values in double precision, largest first."""
    return np.linalg.svd(weight.double().numpy().reshape(len(weight), -1), compute_uv=False)


def test_by_hand_the_larger_direction_stays():
    record = LowRank(rank=1)(torch.tensor([[3.0, 0.0, 0.0], [0.0, -2.0, 0.0]]))
    assert isinstance(record, LowRanked)
    torch.testing.assert_close(record.restore(), torch.tensor([[3.0, 0, 0], [0, 0, 0]]))
    # k (m + n + 1) numbers of 32 bits.
    assert record.size_bits == 32 * (2 + 3 + 1)


def test_by_hand_energy():
    # Squared values 16, 4, 1: of 21, the first holds 0.76 and two hold 0.95.
    weight = torch.diag(torch.tensor([4.0, 2.0, 1.0]))
    energies = {0.0: 1, 0.76: 1, 0.77: 2, 0.95: 2, 0.96: 3, 1.0: 3}
    assert {e: LowRank(energy=e)(weight).rank for e in energies} == energies


@given(draw, st.integers(1, 25))
def test_the_error_is_the_singular_values_left_out(weight, rank):
    record = LowRank(rank=rank)(weight)
    assert record.rank == min(rank, *weight.shape)
    error = float((record.restore().double() - weight.double()).norm())
    expected = float(np.linalg.norm(spread(weight)[rank:]))
    assert error == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert factorize(weight).squared_error(record.rank) == pytest.approx(
        expected**2, rel=1e-4, abs=1e-6
    )


@given(draw, st.integers(1, 6))
def test_no_other_matrix_of_the_rank_is_closer(weight, rank):
    best = float((LowRank(rank=rank)(weight).restore() - weight).norm())
    generator = torch.Generator().manual_seed(rank)
    rows = torch.linalg.qr(torch.randn(weight.shape[1], rank, generator=generator)).Q
    assert best <= float((weight @ rows @ rows.T - weight).norm()) + 1e-4


@given(draw, st.floats(0, 1))
def test_energy_takes_the_least_rank_that_holds_it(weight, energy):
    record = LowRank(energy=energy)(weight)
    held = np.cumsum(spread(weight) ** 2)
    assert held[record.rank - 1] >= energy * held[-1] * (1 - 1e-5)
    if record.rank > 1:
        assert held[record.rank - 2] < energy * held[-1] * (1 + 1e-5)


@given(st.integers(1, 500), st.integers(1, 500))
def test_break_even_rank_is_the_last_that_pays(rows, columns):
    rank = break_even_rank(rows, columns)
    assert rank * (rows + columns + 1) <= rows * columns
    assert (rank + 1) * (rows + columns + 1) > rows * columns


def test_a_kernel_is_seen_as_a_matrix_of_filters():
    kernel = torch.randn(6, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    record = LowRank(rank=2)(kernel)
    assert record.restore().shape == kernel.shape
    as_matrix = LowRank(rank=2)(kernel.reshape(6, 12)).restore()
    assert torch.equal(record.restore(), as_matrix.reshape(kernel.shape))
    assert record.size_bits == 32 * 2 * (6 + 12 + 1)


def test_a_tensor_with_one_axis_is_left_alone():
    weight = torch.tensor([1.0, 2.0])
    record = LowRank(rank=1)(weight)
    assert isinstance(record, Dense)
    assert torch.equal(record.restore(), weight)


@given(draw, st.integers(1, 5), st.floats(0, 1))
def test_pruned_weights_stay_zero(weight, rank, sparsity):
    pruned = Prune(sparsity=sparsity)(weight)
    assert not pruned.then(LowRank(rank=rank)).restore()[~pruned.mask].any()


def test_later_steps_compress_the_factors():
    weight = torch.randn(20, 30, generator=torch.Generator().manual_seed(0))
    record = LowRank(rank=4)(weight).then(Quantize(bits=8))
    # 8 bits a number of both factors, two ends of range each, 4 singular values.
    assert record.size_bits == 8 * 4 * (20 + 30) + 2 * 64 + 32 * 4
    plain = LowRank(rank=4)(weight).restore()
    assert float((record.restore() - plain).norm() / plain.norm()) < 0.02


def test_half_weights_keep_their_type():
    weight = torch.randn(4, 5, generator=torch.Generator().manual_seed(0)).half()
    assert LowRank(rank=4)(weight).restore().dtype == torch.float16


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "exactly one of rank, energy; got neither"),
        ({"rank": 2, "energy": 0.5}, "got rank=2 and energy=0.5"),
        ({"rank": 0}, "rank must be from 1 to"),
        ({"energy": 95}, "not a percentage: write 0.95"),
        ({"energy": -1}, r"energy must be in \[0, 1\]; got -1"),
    ],
)
def test_values_out_of_range_are_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        LowRank(**fields)


def test_values_of_another_type_are_refused():
    with pytest.raises(TypeError, match=r"rank must be an integer; got 2.5"):
        LowRank(rank=2.5)


def test_in_words():
    assert LowRank(rank=8).describe() == "Rank 8"
    assert LowRank(energy=0.9).describe() == "Rank for 90% energy"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_factors_of_half_precision_have_its_type(dtype):
    weight = torch.randn(256, 256, generator=torch.Generator().manual_seed(0)).to(dtype)
    record = LowRank(rank=64)(weight)
    assert record.size_bits == 16 * 64 * (256 + 256 + 1)
    assert {record.left.dtype, record.values.dtype, record.right.dtype} == {dtype}
    expected = np.linalg.norm(spread(weight)[64:]) / np.linalg.norm(spread(weight))
    error = (record.restore().double() - weight.double()).norm() / weight.double().norm()
    assert float(error) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("rest", [(), (Quantize(8),), (Prune(sparsity=0.3),)])
def test_weights_near_the_largest_number_stay_finite(dtype, rest):
    end = torch.finfo(dtype).max
    generator = torch.Generator().manual_seed(0)
    weight = (torch.rand(60, 80, generator=generator) * 2 - 1).mul(end).to(dtype)
    weight[0] = end
    record = LowRank(rank=60)(weight)
    torch.testing.assert_close(
        record.restore().double() / end, weight.double() / end, atol=0.01, rtol=0
    )
    for step in rest:
        record = record.then(step)
    restored = record.restore()
    assert bool(restored.isfinite().all())
    assert float((restored.double() - weight.double()).norm() / weight.double().norm()) < 0.5


def test_singular_values_beyond_float32_are_told():
    weight = torch.full((4, 4), 3e38)
    factors = factorize(weight)
    assert float(factors.singular_values[0]) == pytest.approx(1.2e39)
    assert factors.squared_error(0) == pytest.approx(16 * 9e76)
    assert factors.rank_for_energy(0.5) == 1
