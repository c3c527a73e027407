"""Kept positions: the size by hand, and never more than a bitmap."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.coding.positions import SupportCode, support_code

counts = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@pytest.mark.parametrize(
    ("n", "kept", "expected"),
    [
        (10, 0, SupportCode("none", 0, 0)),
        (10, 10, SupportCode("none", 0, 0)),
        (10, 5, SupportCode("bitmap", 0, 10)),
        # 10 positions below 1000: 6 low bits each, then 10 ones and 15 zeros and an end.
        (1000, 10, SupportCode("kept", 6, 10 * 6 + 10 + (999 >> 6) + 1)),
        (1000, 990, SupportCode("zeros", 6, 10 * 6 + 10 + (999 >> 6) + 1)),
    ],
)
def test_by_hand(n, kept, expected):
    assert support_code(n, kept) == expected


@given(counts)
def test_never_more_than_a_bitmap_nor_less_than_the_information(pair):
    n, kept = pair
    information = (math.lgamma(n + 1) - math.lgamma(kept + 1) - math.lgamma(n - kept + 1)) / (
        math.log(2)
    )
    size = support_code(n, kept).size_bits
    assert math.floor(information) <= size <= n


@given(counts)
def test_kept_and_zeroed_positions_cost_the_same(pair):
    n, kept = pair
    assert support_code(n, kept).size_bits == support_code(n, n - kept).size_bits


@given(counts)
def test_the_low_bits_are_the_best_choice(pair):
    n, kept = pair
    code = support_code(n, kept)
    for count in {kept, n - kept} - {0, n}:
        sizes = [count * low + count + ((n - 1) >> low) + 1 for low in range(20)]
        assert code.size_bits <= min(sizes)
