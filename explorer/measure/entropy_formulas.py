"""Entropy of the codes, the bound that no code of single symbols can pass."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from explorer.compress.symbols import entropy_bits as total_bits
from explorer.measure.formula import Formula
from explorer.measure.latex import grouped, text

NAMES = {"huffman": "Huffman", "ans": "ANS"}
_NOTES = {
    "huffman": "A Huffman code spends whole bits on each symbol: at least H, less than H + 1 on "
    "average.",
    "ans": "Asymmetric numeral systems spend fractions of bits, and so come close to H.",
}
_TABLES = {"huffman": "table of code lengths", "ans": "table of frequencies"}


def entropy(
    counts: Sequence[int] | np.ndarray, mean_length: float | None = None, coder: str = "huffman"
) -> Formula:
    """Fill in the entropy of the codes, below which no code of one symbol each can go.

    Parameters
    ----------
    counts : sequence of int, or ndarray
        How often each symbol occurs.
    mean_length : float, optional
        Mean bits that a symbol takes.
    coder : {"huffman", "ans"}

    References
    ----------
    Shannon. "A mathematical theory of communication". Bell System Technical Journal, 1948.
    """
    bits, occurring = entropy_bits(counts), np.asarray(counts, np.float64)
    likeliest = float(occurring.max(initial=0.0) / (occurring.sum() or 1.0))
    more = r" + \cdots" if likeliest < 1 else ""
    return Formula(
        "Entropy",
        r"H = -\sum_i p_i \, \log_2 \, p_i",
        rf"= -({likeliest:.3f} \, \log_2 \, {likeliest:.3f}{more}) = {text(f'{bits:.3f} bits')}",
        f"{bits:.3f} bits",
        _NOTES[coder],
        "" if mean_length is None else f"{mean_length:.3f} bits",
        NAMES[coder],
    )


def entropy_bound(
    counts: Sequence[int] | np.ndarray, mean_length: float | None = None, coder: str = "huffman"
) -> Formula:
    """Fill in the bytes that the entropy allows for all symbols, n H, beside the coder's."""
    n, bits = int(np.sum(counts)), entropy_bits(counts)
    coded = "" if mean_length is None else _bytes(n * mean_length)
    return Formula(
        "Smallest size of the codes",
        r"n H",
        rf"= {grouped(n)} \cdot {bits:.3f} \, {text('bits')} = {text(_bytes(n * bits))}",
        _bytes(n * bits),
        f"What is stored also counts the {_TABLES[coder]}.",
        coded,
        NAMES[coder],
    )


def entropy_bits(counts: Sequence[int] | np.ndarray) -> float:
    """Entropy in bits a symbol of symbols that occur `counts` times; 0 where none does."""
    parts = np.asarray(counts, np.float64)
    return total_bits(parts) / (parts.sum() or 1.0)


def _bytes(bits: float) -> str:
    return f"{bits / 8e3:,.1f} KB" if bits >= 8e3 else f"{math.ceil(bits / 8)} B"
