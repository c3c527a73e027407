"""Formulas of the methods that treat each weight, or the whole matrix, at once."""

from __future__ import annotations

import math

from explorer.compress.low_rank import break_even_rank
from explorer.measure.formula import THE_REST, Formula, check_positive, fraction, rate
from explorer.measure.latex import grouped, log2_of, text


def sparsity(n_weights: int, n_kept: int, measured: float | None = None) -> Formula:
    """Fill in how much smaller a pruned layer would be if positions cost nothing.

    Parameters
    ----------
    n_weights, n_kept : int
        Entries of the weight tensor, and those kept.
    measured : float, optional
        Ratio of the layer's or the file's bytes; the same in all functions here.
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

    Parameters
    ----------
    shape, left : tuple of int
        (rows, columns) of the matrix before and after; leaving a fraction 1 - f of both
        leaves (1 - f)^2 of the weights.
    measured : float, optional
        Ratio of the layer's or the file's bytes.
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

    Parameters
    ----------
    low, high : float
        Smallest and largest weight.
    bits : int
        Bits of one code, at least 1.
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

    Parameters
    ----------
    n_weights, n_clusters : int
        Weights n that share, and clusters k, at least 1.
    measured : float, optional
        Ratio of the layer's or the file's bytes.
    float_bits : int
        Bits b of an original weight.

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

    Parameters
    ----------
    n_rows, n_columns : int
        Size m x n of the matrix.
    rank : int
        Singular values kept, k, at least 1.
    measured : float, optional
        Ratio of the layer's or the file's bytes.
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
