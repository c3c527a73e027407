"""Timed products: sound records on a false clock, errors of rounding only, stops, bad input."""

import time

import pytest
import torch

from explorer.measure import integer_products
from explorer.measure.binary_matrix import PackedSigns, SignMatrix
from explorer.measure.integer_products import IntegerInputs, IntegerMatrix, time_products


def normal(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_by_hand_the_times_are_those_of_each_part(monkeypatch):
    # Float 12 s; binary 1 s to pack and 2 s to multiply; integers 2 s and 4 s.
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)

    def taking(seconds, run):
        def job(*arguments):
            nonlocal now
            now += seconds
            return run(*arguments)

        return job

    monkeypatch.setattr(integer_products.torch, "mm", taking(12, torch.mm))
    for owner, name, seconds in (
        (PackedSigns, "of", 1),
        (SignMatrix, "product", 2),
        (IntegerInputs, "of", 2),
        (IntegerMatrix, "product", 4),
    ):
        real = getattr(owner, name)
        own = owner.__dict__[name]
        job = taking(seconds, real)
        monkeypatch.setattr(owner, name, staticmethod(job) if isinstance(own, classmethod) else job)
    binary, integer = time_products(normal(5, 70), 3, n_runs=4, budget_s=1000)
    assert (binary.kind, binary.batch_size, binary.n_runs) == ("binary", 3, 4)
    assert (binary.float_ms, binary.packed_ms, binary.packing_ms) == (12000, 2000, 1000)
    assert (binary.speedup, binary.product_speedup) == (4, 6)
    assert (integer.kind, integer.packed_ms, integer.packing_ms) == ("int8", 4000, 2000)
    assert (integer.speedup, integer.product_speedup) == (2, 3)


@pytest.mark.parametrize("batch_size", [1, 40])
def test_only_rounding_is_left_as_error(batch_size):
    found = time_products(normal(33, 200), batch_size, n_runs=2)
    assert [timing.kind for timing in found] == ["binary", "int8"]
    for timing in found:
        assert 0 <= timing.max_error < 1e-5
        assert timing.n_runs == 2
        assert min(timing.float_ms, timing.packed_ms, timing.packing_ms) > 0
        assert timing.speedup < timing.product_speedup


def test_a_wrong_product_would_show(monkeypatch):
    real = SignMatrix.product
    monkeypatch.setattr(SignMatrix, "product", lambda self, packed: real(self, packed) * 1.5)
    binary, integer = time_products(normal(33, 200), n_runs=1)
    assert binary.max_error == pytest.approx(0.5, rel=1e-4)
    assert integer.max_error < 1e-5


def test_exact_zeros_and_half_weights_are_taken():
    weight = normal(9, 30).half()
    weight[:, ::2] = 0
    before = weight.clone()
    assert all(timing.max_error < 1e-5 for timing in time_products(weight, n_runs=1))
    assert torch.equal(weight, before)


def test_stopped_there_is_nothing():
    assert time_products(normal(4, 5), should_stop=lambda: True) == ()
    answers = iter([False] * 8)
    assert time_products(normal(4, 5), should_stop=lambda: next(answers, True)) == ()


@pytest.mark.parametrize(
    ("weight", "arguments", "words"),
    [
        (normal(4), {}, r"weight: expected a matrix \(out, in\), got shape \(4,\)"),
        (normal(4, 5), {"batch_size": 0}, "batch_size: expected a whole number from 1 up, got 0"),
        (normal(4, 5), {"n_runs": 0}, "n_runs: expected a whole number from 1 up, got 0"),
        (normal(4, 5) / 0, {}, "weight holds NaN or infinite entries"),
    ],
)
def test_bad_input_is_told(weight, arguments, words):
    with pytest.raises(ValueError, match=words):
        time_products(weight, **arguments)
