"""Packed integers: by hand, there and back, across the chunks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.coding import bits
from explorer.compress.coding.bits import pack, unpack


@pytest.mark.parametrize(
    ("codes", "n_bits", "expected"),
    [
        ([1, 0, 1, 1], 1, b"\xb0"),
        # 101 010 111 and seven zeros.
        ([5, 2, 7], 3, b"\xab\x80"),
        ([255, 1], 8, b"\xff\x01"),
        ([4095, 1], 12, b"\xff\xf0\x01"),
        ([3, 2], 0, b""),
        ([], 5, b""),
    ],
)
def test_by_hand(codes, n_bits, expected):
    assert pack(np.array(codes, np.int64), n_bits) == expected


@given(st.integers(0, 32), st.integers(0, 300), st.integers(0, 99))
def test_there_and_back(n_bits, n, seed):
    codes = np.random.default_rng(seed).integers(0, 1 << n_bits, n)
    data = pack(codes, n_bits)
    assert len(data) == -(-n * n_bits // 8)
    assert unpack(data, n, n_bits).tolist() == codes.tolist()


@pytest.mark.parametrize("n_bits", [1, 3, 7, 11])
@pytest.mark.parametrize("chunk", [8, 64])
def test_chunks_join_without_a_seam(n_bits, chunk, monkeypatch):
    codes = np.random.default_rng(0).integers(0, 1 << n_bits, 3 * chunk + 5)
    whole = pack(codes, n_bits)
    monkeypatch.setattr(bits, "CHUNK", chunk)
    assert pack(codes, n_bits) == whole
    assert unpack(whole, codes.size, n_bits).tolist() == codes.tolist()


@given(st.integers(1, 16), st.integers(1, 60), st.integers(0, 99))
def test_same_bits_as_python_writes(n_bits, n, seed):
    codes = np.random.default_rng(seed).integers(0, 1 << n_bits, n)
    text = "".join(f"{code:0{n_bits}b}" for code in codes)
    padded = text.ljust(-(-len(text) // 8) * 8, "0")
    expected = bytes(int(padded[i : i + 8], 2) for i in range(0, len(padded), 8))
    assert pack(codes, n_bits) == expected
