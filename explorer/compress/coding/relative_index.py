"""Relative indices: a kept weight's position as the count of zeros before it.

Distances are written with a fixed number of bits b. One that is too long is carried by
fillers: the largest symbol, 2^b - 1, stands for that many zeros and for no weight. In Han et
al. a filler is a zero weight and costs a weight's bits as well; here it costs an index alone.

References
----------
Han, Mao, Dally. "Deep compression: compressing deep neural networks with pruning,
trained quantization and Huffman coding". ICLR 2016. arXiv:1510.00149.
"""

from __future__ import annotations

import numpy as np

MAX_INDEX_BITS = 16


def gaps_of(mask: np.ndarray) -> np.ndarray:
    """Count the zeros before each kept weight, since the one before it.

    `mask`: shape (n,), bool; true where kept. Returns: shape (n_kept,), int64.

    Examples
    --------
    >>> gaps_of(np.array([False, False, True, True, False, True]))
    array([2, 0, 1])
    """
    return np.diff(np.flatnonzero(mask), prepend=-1) - 1


def index_symbols(gaps: np.ndarray, n_bits: int) -> np.ndarray:
    """Write distances as symbols of `n_bits` bits, with fillers where they are too long.

    `gaps`: shape (n_kept,), int64. `n_bits`: from 1 to 16. Returns: shape (n_kept + n_fillers,),
    int32; from 0 to ``2**n_bits - 1``; the largest is a filler.

    Examples
    --------
    >>> index_symbols(np.array([2, 0, 7]), 2)
    array([2, 0, 3, 3, 1], dtype=int32)
    """
    filler = (1 << n_bits) - 1
    ends = np.cumsum(gaps // filler + 1)
    symbols = np.full(ends[-1] if ends.size else 0, filler, np.int32)
    symbols[ends - 1] = gaps % filler
    return symbols


def positions_of(symbols: np.ndarray, n_bits: int) -> np.ndarray:
    """Read the kept positions back from the symbols. Returns: shape (n_kept,), int64, ascending."""
    filler = (1 << n_bits) - 1
    weights = symbols != filler
    steps = np.where(weights, symbols + 1, filler)
    return np.cumsum(steps, dtype=np.int64)[weights] - 1


def count_symbols(gap_counts: np.ndarray, n_bits: int) -> np.ndarray:
    """Count how often each symbol comes, from how often each distance comes.

    `gap_counts`: shape (longest + 1,), int64; how many distances are 0, 1, 2, ... Returns: shape
    (2**n_bits,), int64.
    """
    filler = (1 << n_bits) - 1
    gaps = np.arange(gap_counts.size)
    counts = np.bincount(gaps % filler, gap_counts, filler + 1)
    counts[filler] = (gaps // filler * gap_counts).sum()
    return counts.astype(np.int64)
