"""Formulas of the compression methods with their numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from explorer.compress.coding.entropy import entropy_bits as total_bits
from explorer.compress.methods.low_rank import break_even_rank
from explorer.compress.methods.product import product_rate
from explorer.compress.methods.residual import printed_residual_rate, residual_rate
from explorer.measure.formulas.formula import (
    THE_REST,
    Formula,
    check_positive,
    fraction,
    grouped,
    log2_of,
    rate,
    text,
)


def sparsity(n_weights: int, n_kept: int, measured: float | None = None) -> Formula:
    """Fill in how much smaller a pruned layer would be if positions cost nothing.

    `n_weights`, `n_kept`: entries of the weight tensor, and those kept. `measured`: ratio of the
    layer's or the file's bytes; the same in all functions here.
    """
    check_positive(n_weights=n_weights)
    return rate(
        "Pruning",
        r"r = \frac{n}{n_{\text{kept}}} = \frac{1}{1 - s}",
        grouped(n_weights),
        grouped(n_kept),
        n_weights / n_kept if n_kept else math.inf,
        measured,
        "What is stored also counts the places of kept weights; the whole file has a header.",
    )


def neurons(
    shape: tuple[int, int], left: tuple[int, int], measured: float | None = None
) -> Formula:
    """Fill in the rate of a dense layer that lost rows and columns: m n / (m' n').

    `shape`, `left`: (rows, columns) of the matrix before and after; leaving a fraction 1 - f of
    both leaves (1 - f)^2 of the weights. `measured`: ratio of the layer's or the file's bytes.
    """
    (m, n), (m_left, n_left) = shape, left
    return rate(
        "Neuron pruning",
        r"r = \frac{m n}{m' n'}",
        rf"{grouped(m)} \cdot {grouped(n)}",
        rf"{grouped(m_left)} \cdot {grouped(n_left)}",
        m * n / (m_left * n_left) if m_left * n_left else math.inf,
        measured,
        "What is left is dense: no positions to store. " + THE_REST,
    )


def quantization_step(low: float, high: float, bits: int) -> Formula:
    """Fill in the distance between neighboring levels of uniform quantization.

    `low`, `high`: smallest and largest weight. `bits`: bits of one code, at least 1.
    """
    check_positive(bits=bits)
    step = (high - low) / (2**bits - 1)
    minimum = f"{low:.4g}" if low >= 0 else f"({low:.4g})"
    filled = fraction(f"{high:.4g} - {minimum}", f"2^{{{bits}}} - 1")
    return Formula(
        "Step between levels",
        r"\Delta = \frac{w_{\max} - w_{\min}}{2^b - 1}",
        f"= {filled} = {text(f'{step:.3g}')}",
        f"{step:.3g}",
        "No weight moves by more than half a step.",
    )


def quantization(bits: int, measured: float | None = None, float_bits: int = 32) -> Formula:
    """Fill in the size drop of `bits`-bit codes in place of floating-point numbers."""
    check_positive(bits=bits, float_bits=float_bits)
    return rate(
        "Uniform quantization",
        r"r = \frac{b_{\text{float}}}{b}",
        grouped(float_bits),
        grouped(bits),
        float_bits / bits,
        measured,
        "What is stored also counts scales, and the whole file has a header.",
    )


def binary(measured: float | None = None, float_bits: int = 32) -> Formula:
    """Fill in the size drop of one sign bit a weight."""
    return rate(
        "Binary quantization",
        r"r = \frac{b_{\text{float}}}{1}",
        grouped(float_bits),
        "1",
        float(float_bits),
        measured,
        "What is stored also counts scales, and the whole file has a header.",
    )


def sharing(
    n_weights: int, n_clusters: int, measured: float | None = None, float_bits: int = 32
) -> Formula:
    """Fill in the rate of weight sharing: n b / (n log2 k + k b).

    `n_weights`, `n_clusters`: weights n that share, and clusters k, at least 1. `measured`: ratio
    of the layer's or the file's bytes. `float_bits`: bits b of an original weight.

    References
    ----------
    Han, Mao, Dally. "Deep compression: compressing deep neural networks with pruning,
    trained quantization and Huffman coding". ICLR 2016. arXiv:1510.00149.
    """
    check_positive(n_weights=n_weights, n_clusters=n_clusters, float_bits=float_bits)
    n, k, b = grouped(n_weights), grouped(n_clusters), grouped(float_bits)
    cost = n_weights * math.log2(n_clusters) + n_clusters * float_bits
    return rate(
        "Weight sharing",
        r"r = \frac{n b}{n \, \log_2 \, k + k b}",
        rf"{n} \cdot {b}",
        rf"{n} \cdot {log2_of(n_clusters)} + {k} \cdot {b}",
        n_weights * float_bits / cost,
        measured,
        "What is stored rounds a code up to whole bits and counts kept positions; the whole file "
        "has a header.",
    )


def low_rank(n_rows: int, n_columns: int, rank: int, measured: float | None = None) -> Formula:
    """Fill in the rate of a truncated factorization: m n / (k (m + n + 1)).

    `n_rows`, `n_columns`: size m x n of the matrix. `rank`: singular values kept, k, at least 1.
    `measured`: ratio of the layer's or the file's bytes.
    """
    check_positive(n_rows=n_rows, n_columns=n_columns, rank=rank)
    m, n, k = map(grouped, (n_rows, n_columns, rank))
    best = break_even_rank(n_rows, n_columns)
    return rate(
        "Low rank",
        r"r = \frac{m n}{k \, (m + n + 1)}",
        rf"{m} \cdot {n}",
        rf"{k} \cdot ({m} + {n} + 1)",
        n_rows * n_columns / (rank * (n_rows + n_columns + 1)),
        measured,
        f"Up to rank {best:,} the factors take less room than the matrix.",
    )


def product(
    n_rows: int,
    n_columns: int,
    n_subvectors: int,
    n_centroids: int,
    measured: float | None = None,
    float_bits: int = 32,
) -> Formula:
    """Fill in the rate of product quantization: b m n / (b k n + m s log2 k).

    `n_rows`, `n_columns`: size m x n of the matrix, whose columns are split. `n_subvectors`,
    `n_centroids`: sub-matrices s, and centroids k of each one's codebook. `measured`: ratio of the
    layer's or the file's bytes. `float_bits`: bits b of an original weight.

    References
    ----------
    Gong, Liu, Yang, Bourdev. "Compressing deep convolutional networks using vector
    quantization". 2014. arXiv:1412.6115.
    """
    check_positive(
        n_rows=n_rows, n_columns=n_columns, n_subvectors=n_subvectors, n_centroids=n_centroids
    )
    m, n, s, k, b = map(grouped, (n_rows, n_columns, n_subvectors, n_centroids, float_bits))
    return rate(
        "Product quantization",
        r"r = \frac{b m n}{b k n + m s \, \log_2 \, k}",
        rf"{b} \cdot {m} \cdot {n}",
        rf"{b} \cdot {k} \cdot {n} + {m} \cdot {s} \cdot {log2_of(n_centroids)}",
        product_rate(n_rows, n_columns, n_subvectors, n_centroids, float_bits),
        measured,
        THE_REST,
    )


def residual_as_printed(n_rows: int, n_columns: int, n_stages: int, n_centroids: int) -> Formula:
    """Fill in the lecture's rate of residual quantization: m / (t k + log2(k) t n).

    It counts numbers and bits alike, so it is not a ratio of bytes: see `residual`.
    """
    check_positive(n_rows=n_rows, n_columns=n_columns, n_stages=n_stages, n_centroids=n_centroids)
    m, n, t, k = map(grouped, (n_rows, n_columns, n_stages, n_centroids))
    return rate(
        "Residual quantization, as printed",
        r"r = \frac{m}{t k + \log_2(k) \, t n}",
        m,
        rf"{t} \cdot {k} + {log2_of(n_centroids)} \cdot {t} \cdot {n}",
        printed_residual_rate(n_rows, n_columns, n_stages, n_centroids),
        None,
        "As printed it adds codebook rows to bits; the form in bits is the one to compare.",
    )


def residual(
    n_rows: int,
    n_columns: int,
    n_stages: int,
    n_centroids: int,
    measured: float | None = None,
    float_bits: int = 32,
) -> Formula:
    """Fill in the rate of residual quantization in bits: b m n / (t (b k n + m log2 k)).

    `n_rows`, `n_columns`: size m x n of the matrix, whose rows are quantized whole. `n_stages`,
    `n_centroids`: stages t, and centroids k of each one's codebook. `measured`: ratio of the
    layer's or the file's bytes. `float_bits`: bits b of an original weight.
    """
    check_positive(n_rows=n_rows, n_columns=n_columns, n_stages=n_stages, n_centroids=n_centroids)
    m, n, t, k, b = map(grouped, (n_rows, n_columns, n_stages, n_centroids, float_bits))
    return rate(
        "Residual quantization, in bits",
        r"r = \frac{b m n}{t \, (b k n + m \, \log_2 \, k)}",
        rf"{b} \cdot {m} \cdot {n}",
        rf"{t} \cdot ({b} \cdot {k} \cdot {n} + {m} \cdot {log2_of(n_centroids)})",
        residual_rate(n_rows, n_columns, n_stages, n_centroids, float_bits),
        measured,
        THE_REST,
    )


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

    `counts`: how often each symbol occurs. `mean_length`: mean bits that a symbol takes. `coder`:
    one of "huffman", "ans".

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
