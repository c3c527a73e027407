"""Formulas of the methods that share whole vectors: product and residual quantization."""

from __future__ import annotations

from explorer.compress.product import product_rate
from explorer.compress.residual import printed_residual_rate, residual_rate
from explorer.measure.formula import THE_REST, Formula, check_positive, rate
from explorer.measure.latex import grouped, log2_of


def product(
    n_rows: int,
    n_columns: int,
    n_subvectors: int,
    n_centroids: int,
    measured: float | None = None,
    float_bits: int = 32,
) -> Formula:
    """Fill in the rate of product quantization: b m n / (b k n + m s log2 k).

    Parameters
    ----------
    n_rows, n_columns : int
        Size m x n of the matrix, whose columns are split.
    n_subvectors, n_centroids : int
        Sub-matrices s, and centroids k of each one's codebook.
    measured : float, optional
        Ratio of the layer's or the file's bytes.
    float_bits : int
        Bits b of an original weight.

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

    Parameters
    ----------
    n_rows, n_columns : int
        Size m x n of the matrix, whose rows are quantized whole.
    n_stages, n_centroids : int
        Stages t, and centroids k of each one's codebook.
    measured : float, optional
        Ratio of the layer's or the file's bytes.
    float_bits : int
        Bits b of an original weight.
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
