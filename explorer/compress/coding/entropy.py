"""Entropy coding of small integers, by constriction: Huffman codes and asymmetric numeral systems.

A stream is coded with one static model, which goes before it as a table: the length of
each symbol's code word for Huffman, its frequency in quarter octaves (6 bits) for ANS. That
coarse a frequency costs about 0.002 bits a symbol, and its arithmetic is in integers,
so that every machine decodes with the very same model.

References
----------
Huffman. "A method for the construction of minimum-redundancy codes". Proceedings of the IRE, 1952.
Duda. "Asymmetric numeral systems: entropy coding combining speed of Huffman coding with
compression rate of arithmetic coding". 2013. arXiv:1311.2540.
Bamler. "Understanding entropy coding with asymmetric numeral systems (ANS): a statistician's
perspective". 2022. arXiv:2201.01741.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

CODERS = ("huffman", "ans")
LENGTH_BITS = 5
FREQUENCY_BITS = 6
UNUSED = (1 << FREQUENCY_BITS) - 1
QUARTERS = np.array([1048576, 881744, 741455, 623487], np.int64)


def entropy_bits(counts: np.ndarray) -> float:
    """Bits below which no code with one static model can go: n H.

    `counts`: shape (n_symbols,); how often each symbol comes.

    Examples
    --------
    >>> entropy_bits(np.array([2, 1, 1]))
    6.0
    """
    used = counts[counts > 0].astype(np.float64)
    return (
        float(used.sum() * math.log2(used.sum()) - (used * np.log2(used)).sum())
        if used.size
        else 0.0
    )


def table_bytes(coder: str, alphabet: int) -> int:
    """Bytes of the table of a model over `alphabet` symbols."""
    return -(-alphabet * (LENGTH_BITS if coder == "huffman" else FREQUENCY_BITS) // 8)


def huffman_lengths(counts: np.ndarray) -> np.ndarray:
    """Bits of each symbol's code word; 0 for a symbol that does not come, or comes alone.

    `counts`: shape (n_symbols,), int64. Returns: shape (n_symbols,), uint8. Where a code word would
    need more than 31 bits, the counts are halved until none does.

    Examples
    --------
    >>> huffman_lengths(np.array([5, 2, 1, 0]))
    array([1, 2, 2, 0], dtype=uint8)
    """
    from constriction import symbol as codes

    lengths = np.zeros(counts.size, np.uint8)
    used = np.flatnonzero(counts)
    if used.size < 2:
        return lengths
    tree = codes.huffman.EncoderHuffmanTree(counts[used].astype(np.float64) / counts.sum())
    for rank, place in enumerate(used):
        encoder = codes.QueueEncoder()
        encoder.encode_symbol(rank, tree)
        lengths[place] = encoder.get_compressed_and_bitrate()[1]
    if lengths.max() >= 1 << LENGTH_BITS:
        return huffman_lengths((counts + 1) // 2)
    return lengths


def frequency_classes(counts: np.ndarray) -> np.ndarray:
    """Round the symbols' frequencies to quarter octaves below the most frequent one.

    Returns: shape (n_symbols,), uint8; from 0 to 62; 63 for a symbol that does not come.
    """
    classes = np.full(counts.size, UNUSED, np.uint8)
    used = counts > 0
    if used.any():
        octaves = np.log2(counts.max() / counts[used])
        classes[used] = np.minimum(np.rint(4 * octaves), UNUSED - 1)
    return classes


def coded_bits(counts: np.ndarray, coder: str) -> float:
    """Bits of the symbols and their table: exact for Huffman codes, close for ANS."""
    table = 8 * table_bytes(coder, counts.size)
    if coder == "ans":
        return entropy_bits(counts) + table
    return float((huffman_lengths(counts).astype(np.int64) * counts).sum()) + table


@dataclass(frozen=True)
class SymbolModel:
    """How often symbols come, as the file's table says it.

    `coder`: one of "huffman", "ans". `entries`: shape (n_symbols,), uint8; `huffman_lengths` or
    `frequency_classes`.
    """

    coder: str
    entries: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray, coder: str) -> SymbolModel:
        """Fit the model to the counts of the symbols."""
        if coder == "ans":
            return cls(coder, frequency_classes(counts))
        if np.count_nonzero(counts) == 1:
            return cls(coder, (counts > 0).astype(np.uint8))
        return cls(coder, huffman_lengths(counts))

    @cached_property
    def used(self) -> np.ndarray:
        """Symbols that come, ascending."""
        return np.flatnonzero(self.entries if self.coder == "huffman" else self.entries != UNUSED)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Probability of each used symbol, float64, the same on every machine."""
        entries = self.entries[self.used].astype(np.int64)
        if self.coder == "huffman":
            return np.ldexp(1.0, -entries)
        weights = np.maximum(1, QUARTERS[entries % 4] >> (entries // 4))
        return weights / weights.sum()

    @property
    def is_complete(self) -> bool:
        """Whether the table describes a code at all."""
        if self.used.size < 2 or self.coder == "ans":
            return self.used.size > 0
        return bool(self.probabilities.sum() == 1.0)

    def encode(self, symbols: np.ndarray) -> bytes:
        """Return the coded symbols."""
        if self.used.size < 2 or not symbols.size:
            return b""
        ranks = np.zeros(self.entries.size, np.int32)
        ranks[self.used] = np.arange(self.used.size)
        encode = _encode_huffman if self.coder == "huffman" else _encode_ans
        return encode(ranks[symbols], self.probabilities)

    def decode(self, data: bytes, count: int) -> np.ndarray:
        """Return `count` symbols, int32, read from `data`.

        Raises ValueError if the data holds no such symbols.
        """
        if not self.is_complete and count:
            raise ValueError("the table of an entropy code is not one")
        if data and (not count or self.used.size == 1):
            raise ValueError("an entropy-coded stream holds more than its symbols")
        if not count:
            return np.zeros(0, np.int32)
        if self.used.size == 1:
            return np.full(count, self.used[0], np.int32)
        decode = _decode_huffman if self.coder == "huffman" else _decode_ans
        return self.used.astype(np.int32)[decode(data, count, self.probabilities)]


def _encode_huffman(ranks: np.ndarray, probabilities: np.ndarray) -> bytes:
    from constriction import symbol as codes

    tree, encoder = codes.huffman.EncoderHuffmanTree(probabilities), codes.QueueEncoder()
    for rank in ranks.tolist():
        encoder.encode_symbol(rank, tree)
    words, n_bits = encoder.get_compressed_and_bitrate()
    return words.astype("<u4").tobytes()[: -(-n_bits // 8)]


def _decode_huffman(data: bytes, count: int, probabilities: np.ndarray) -> Any:
    from constriction import symbol as codes

    if count > 8 * len(data):
        raise ValueError("an entropy-coded stream is too short for its symbols")
    padded = data + bytes(-len(data) % 4)
    decoder = codes.QueueDecoder(np.frombuffer(padded, "<u4").astype(np.uint32))
    tree = codes.huffman.DecoderHuffmanTree(probabilities)
    ranks = np.fromiter((decoder.decode_symbol(tree) for _ in range(count)), np.int32, count)
    n_bits = -int(np.log2(probabilities)[ranks].sum())
    if -(-n_bits // 8) != len(data):
        raise ValueError("an entropy-coded stream holds more than its symbols")
    return ranks


def _encode_ans(ranks: np.ndarray, probabilities: np.ndarray) -> bytes:
    from constriction import stream

    coder, model = stream.stack.AnsCoder(), stream.model.Categorical(probabilities, perfect=False)
    coder.encode_reverse(ranks.astype(np.int32), model)
    return coder.get_compressed().astype("<u4").tobytes()


def _decode_ans(data: bytes, count: int, probabilities: np.ndarray) -> Any:
    from constriction import stream

    if len(data) % 4:
        raise ValueError("an entropy-coded stream is cut within a word")
    coder = stream.stack.AnsCoder(np.frombuffer(data, "<u4").astype(np.uint32))
    ranks = coder.decode(stream.model.Categorical(probabilities, perfect=False), count)
    if not coder.is_empty():
        raise ValueError("an entropy-coded stream holds more than its symbols")
    return ranks
