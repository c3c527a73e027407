"""Entropy coding: there and back, near the bound, and never a crash on bad data."""

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.compress.coding.entropy import (
    CODERS,
    UNUSED,
    SymbolModel,
    entropy_bits,
    frequency_classes,
    huffman_lengths,
    table_bytes,
)

streams = st.integers(1, 40).flatmap(
    lambda k: st.tuples(st.just(k), st.lists(st.integers(0, k - 1), max_size=200))
)


def optimal_bits(counts):
    """Length of an optimal prefix code, by merging the two rarest."""
    heap = [int(c) for c in counts if c]
    heapq.heapify(heap)
    total = 0
    while len(heap) > 1:
        pair = heapq.heappop(heap) + heapq.heappop(heap)
        total += pair
        heapq.heappush(heap, pair)
    return total


def test_by_hand_code_lengths_and_entropy():
    assert huffman_lengths(np.array([4, 2, 1, 1, 0])).tolist() == [1, 2, 3, 3, 0]
    assert entropy_bits(np.array([4, 2, 1, 1, 0])) == 14
    assert entropy_bits(np.array([7])) == 0
    assert entropy_bits(np.zeros(3, np.int64)) == 0


def test_by_hand_frequencies_in_quarter_octaves():
    assert frequency_classes(np.array([16, 8, 4, 0, 1])).tolist() == [0, 4, 8, UNUSED, 16]


@given(streams, st.sampled_from(CODERS))
def test_symbols_come_back(stream, coder):
    k, listed = stream
    symbols = np.array(listed, np.int64)
    model = SymbolModel.of(np.bincount(symbols, minlength=k), coder)
    told = SymbolModel(coder, model.entries.copy())
    assert told.decode(model.encode(symbols), symbols.size).tolist() == listed


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=60))
def test_huffman_codes_are_optimal(listed):
    counts = np.array(listed)
    lengths = huffman_lengths(counts).astype(np.int64)
    assert int((lengths * counts).sum()) == optimal_bits(counts)
    used = lengths[counts > 0]
    if used.size > 1:
        assert np.ldexp(1.0, -used).sum() == 1.0


@pytest.mark.parametrize("k", [2, 32, 256])
def test_sizes_stand_near_the_entropy(k):
    generator = np.random.default_rng(k)
    symbols = generator.choice(k, 50_000, p=generator.dirichlet(np.full(k, 0.6)))
    counts = np.bincount(symbols, minlength=k)
    bound = entropy_bits(counts) / 8
    ans = len(SymbolModel.of(counts, "ans").encode(symbols))
    assert bound <= ans <= bound * 1.004 + 12
    assert bound <= len(SymbolModel.of(counts, "huffman").encode(symbols)) < bound + 50_000 / 8


def test_a_rare_symbol_still_has_its_code():
    symbols = np.array([0] * 300_000 + [1])
    for coder in CODERS:
        model = SymbolModel.of(np.bincount(symbols), coder)
        assert model.decode(model.encode(symbols), symbols.size)[-1] == 1


@settings(max_examples=300)
@given(st.binary(max_size=40), st.binary(min_size=1, max_size=12), st.sampled_from(CODERS))
def test_hostile_tables_and_streams_end_in_words(data, table, coder):
    entries = np.frombuffer(table, np.uint8) & (31 if coder == "huffman" else 63)
    try:
        symbols = SymbolModel(coder, entries).decode(data, 25)
    except ValueError as error:
        assert str(error)
    else:
        assert symbols.shape == (25,)
        assert symbols.max() < entries.size


def test_table_sizes():
    assert table_bytes("huffman", 32) == 20
    assert table_bytes("ans", 32) == 24


def test_very_skewed_counts_get_code_words_that_the_table_holds():
    counts = np.array([int(1.7**i) + 1 for i in range(60)])
    lengths = huffman_lengths(counts).astype(np.int64)
    assert lengths.max() <= 31
    assert np.ldexp(1.0, -lengths).sum() == 1.0
    assert int((lengths * counts).sum()) <= 1.001 * optimal_bits(counts)
