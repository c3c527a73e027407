"""Factors: exact against torch's own decomposition, randomized within their bound."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods import svd as module
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.svd import Factors, factorize, factorize_randomly
from explorer.compress.networks.layer import IndexedLayer


def matrix(seed, rows, columns):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def test_a_diagonal_matrix_by_hand():
    factors = factorize(torch.diag(torch.tensor([1.0, 3.0, 2.0])))
    assert factors.values.tolist() == pytest.approx([3, 2, 1])
    assert factors.squared_error(1) == pytest.approx(5)
    assert factors.squared_norm == pytest.approx(14)
    assert [factors.rank_for_energy(e) for e in (0, 9 / 14, 0.7, 1)] == [1, 1, 2, 3]


@given(st.integers(0, 99), st.integers(1, 20), st.integers(1, 20))
def test_the_way_over_the_gram_matrix_agrees_with_the_direct_one(seed, rows, columns):
    weight = matrix(seed, rows, columns)
    wide = weight if rows <= columns else weight.T.contiguous()
    left, values, right = module._from_gram(wide)
    assert torch.allclose(values, torch.linalg.svdvals(weight), rtol=1e-4, atol=1e-4)
    assert torch.allclose(left * values @ right, wide, atol=1e-4)


def test_large_matrices_of_both_orientations_take_that_way(monkeypatch):
    monkeypatch.setattr(module, "QUICK_OPERATIONS", 0)
    for rows, columns in ((12, 30), (30, 12)):
        weight = matrix(1, rows, columns)
        factors = factorize(weight)
        assert factors.exact
        assert torch.allclose(factors.left * factors.values @ factors.right, weight, atol=1e-4)


def test_randomized_values_are_close_and_never_too_large():
    weight = matrix(0, 60, 8) @ matrix(1, 8, 90) + 0.01 * matrix(2, 60, 90)
    rough, exact = factorize_randomly(weight, 8), factorize(weight)
    assert not rough.exact
    assert rough.values.shape == (8,)
    assert (rough.values <= exact.values[:8] * 1.0001).all()
    assert torch.allclose(rough.values, exact.values[:8], rtol=1e-2)
    assert rough.squared_error(8) == pytest.approx(exact.squared_error(8), rel=0.05)


def test_randomized_factors_are_the_same_each_time_and_leave_the_seed_alone():
    weight = matrix(0, 30, 40)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    one, other = factorize_randomly(weight, 5), factorize_randomly(weight, 5)
    assert torch.equal(one.left, other.left)
    assert torch.equal(torch.get_rng_state(), state)


def test_zero_rows_and_columns_are_counted_as_zeros():
    weight = matrix(0, 4, 5)
    weight[1] = 0
    weight[:, 2] = 0
    for rank in (1, 3):
        product = factorize(weight)
        out = torch.empty(4, 5)
        product.product_into(rank, out)
        assert product.n_nonzero(rank) == int(torch.count_nonzero(out))


def test_a_layer_starts_rough_and_is_refined(monkeypatch):
    monkeypatch.setattr(module, "QUICK_OPERATIONS", 0)
    layer = IndexedLayer("fc", matrix(3, 40, 50))
    assert layer.needs_factors
    rough = layer.plan((LowRank(rank=5),))
    assert not rough.exact
    layer.refine_factors()
    exact = layer.plan((LowRank(rank=5),))
    assert exact.exact
    assert exact.squared_error <= rough.squared_error * 1.0001


def test_factors_of_a_store_are_taken_instead_of_made(monkeypatch):
    monkeypatch.setattr(module, "QUICK_OPERATIONS", 0)
    weight = matrix(3, 6, 5)
    known = factorize(weight)

    class Store:
        def get(self, weight: torch.Tensor) -> Factors:
            return known

        def put(self, weight: torch.Tensor, factors: Factors) -> None:
            raise AssertionError("nothing new to keep")

    layer = IndexedLayer("fc", weight, Store())
    assert layer.factors is known
    layer.refine_factors()
    assert layer.factors is known
