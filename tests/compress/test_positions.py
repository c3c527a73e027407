"""Kept positions: the promised bits are those written, and reading gives the mask back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.compress.coding.positions import read_positions, support_code, write_positions

counts = st.integers(1, 4000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


def random_mask(n, kept, seed, clustered=False):
    generator = np.random.default_rng(seed)
    mask = np.zeros(n, bool)
    start = int(generator.integers(0, n - kept + 1))
    chosen = np.arange(start, start + kept) if clustered else generator.permutation(n)[:kept]
    mask[chosen] = True
    return mask


@settings(max_examples=300)
@given(counts, st.integers(0, 99), st.booleans())
def test_the_promised_size_is_the_written_one_and_the_mask_comes_back(pair, seed, clustered):
    n, kept = pair
    mask = random_mask(n, kept, seed, clustered)
    data = write_positions(mask, kept)
    assert len(data) == -(-support_code(n, kept).size_bits // 8)
    assert (read_positions(data, n, kept) == mask).all()


@given(st.integers(2, 4000).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1))))
def test_no_bit_is_promised_that_is_never_needed(pair):
    n, kept = pair
    code = support_code(n, kept)
    # The last weight kept, or zeroed, reaches the last one-bit but one of the unary part.
    mask = np.zeros(n, bool)
    mask[n - kept :] = True
    mask = ~mask[::-1] if code.form == "zeros" else mask
    bits = np.unpackbits(np.frombuffer(write_positions(mask, int(mask.sum())), np.uint8))
    if code.form != "bitmap":
        assert not bits[code.size_bits :].any()
        assert code.size_bits - 2 - code.low_bits <= np.flatnonzero(bits)[-1]


def test_by_hand():
    # Of 64 positions 3 and 40 are kept: 4 low bits each, 0011 and 1000; the high parts
    # 0 and 2 in unary: ones at 0 + 0 and 2 + 1.
    mask = np.zeros(64, bool)
    mask[[3, 40]] = True
    code = support_code(64, 2)
    assert (code.form, code.low_bits, code.size_bits) == ("kept", 4, 8 + 2 + 3 + 1)
    assert write_positions(mask, 2) == bytes([0b0011_1000, 0b1001_0000])
    assert write_positions(np.array([True, False] * 4), 4) == b"\xaa"


@given(counts, st.integers(0, 99), st.data())
def test_other_bytes_give_as_many_positions_or_an_error(pair, seed, data):
    n, kept = pair
    good = bytearray(write_positions(random_mask(n, kept, seed), kept))
    if not good:
        return
    place = data.draw(st.integers(0, len(good) - 1))
    good[place] ^= data.draw(st.integers(1, 255))
    try:
        mask = read_positions(bytes(good), n, kept)
    except ValueError:
        return
    assert mask.shape == (n,)
    assert np.count_nonzero(mask) == kept


@pytest.mark.parametrize(
    ("data", "n", "kept", "words"),
    [
        (b"\xff", 8, 4, "do not agree with their number"),
        (bytes([0b0011_1000, 0]), 64, 2, "do not agree with their number"),
        (bytes([0b1000_0011, 0b1100_0000]), 64, 2, "out of order"),
    ],
)
def test_bytes_that_are_no_positions(data, n, kept, words):
    with pytest.raises(ValueError, match=words):
        read_positions(data, n, kept)
