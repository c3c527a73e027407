"""Relative indices: by hand, there and back, and counted without being written."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.coding.relative_index import (
    count_symbols,
    gaps_of,
    index_symbols,
    positions_of,
)

masks = st.lists(st.booleans(), max_size=300).map(lambda bits: np.array(bits, bool))


def test_by_hand_fillers_carry_long_distances():
    mask = np.zeros(12, bool)
    mask[[1, 2, 10]] = True
    assert gaps_of(mask).tolist() == [1, 0, 7]
    # With 2 bits a filler (3) stands for three zeros: 7 = 3 + 3 + 1.
    assert index_symbols(gaps_of(mask), 2).tolist() == [1, 0, 3, 3, 1]
    assert index_symbols(gaps_of(mask), 3).tolist() == [1, 0, 7, 0]


def test_one_bit_is_a_bitmap_up_to_the_last_kept_weight():
    mask = np.array([False, True, True, False, True, False])
    assert index_symbols(gaps_of(mask), 1).tolist() == [1, 0, 0, 1, 0]


@given(masks, st.integers(1, 16))
def test_positions_come_back(mask, n_bits):
    symbols = index_symbols(gaps_of(mask), n_bits)
    assert positions_of(symbols, n_bits).tolist() == np.flatnonzero(mask).tolist()
    assert symbols.size == 0 or symbols.max() < 1 << n_bits


@given(masks, st.integers(1, 6))
def test_counts_need_no_symbols(mask, n_bits):
    gaps = gaps_of(mask)
    written = np.bincount(index_symbols(gaps, n_bits), minlength=1 << n_bits)
    assert count_symbols(np.bincount(gaps), n_bits).tolist() == written.tolist()


@pytest.mark.parametrize(("density", "n_bits", "share"), [(0.08, 5, 0.078), (0.09, 4, 0.321)])
def test_fillers_at_random_positions_follow_the_geometric_law(density, n_bits, share):
    mask = np.random.default_rng(0).random(400_000) < density
    symbols = index_symbols(gaps_of(mask), n_bits)
    longest = (1 - density) ** ((1 << n_bits) - 1)
    assert share == pytest.approx(longest / (1 - longest), abs=0.005)
    assert symbols.size / np.count_nonzero(mask) - 1 == pytest.approx(share, rel=0.03)
