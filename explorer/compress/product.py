"""Product quantization: the matrix is cut into strips, each with a codebook of its own."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from explorer.compress.record import Dense, Record
from explorer.compress.setting import Setting, check_count, dial
from explorer.compress.vector_record import VectorCoded, relative_error, vector_fields
from explorer.compress.vectors import MAX_CENTROIDS, cluster_vectors, look_up
from explorer.compress.weights import as_matrix


@dataclass(frozen=True, eq=False)
class ProductQuantized(VectorCoded):
    """A matrix as strips, and each strip's rows as numbers of centroids.

    Attributes
    ----------
    codes : Tensor, shape (n_subvectors, n_vectors), uint8 or int16
    codebook : Record of shape (k, length)
        Centroids of all strips side by side, cut as the matrix is; `length` is that of
        the axis that was cut.
    axis : int
        1 where columns were cut into strips, 0 where rows were.
    """

    axis: int

    @property
    def n_subvectors(self) -> int:
        """Number of strips s."""
        return self.codes.shape[0]

    @property
    def meta(self) -> dict[str, Any]:
        """Kind, strips, centroids and axis."""
        counts = {"subvectors": self.n_subvectors, "centroids": self.n_centroids}
        return {"kind": "product"} | counts | {"axis": self.axis}

    @property
    def field_bits(self) -> tuple[int, ...]:
        """Kept positions where some are not, codes, codebooks."""
        return product_fields(self.layout, self.full_shape, self.dtype, self.table_bits)

    @property
    def centroids(self) -> Tensor:
        """Centroids, shape (n_subvectors, k, width); narrower strips end in a zero."""
        return cut_strips(self.codebook.restore(), self.n_subvectors)

    def decode(self) -> Tensor:
        """Return the matrix that codes and codebook stand for."""
        strips = look_up(self.codes, self.centroids)
        return _turned(join_strips(strips, self.codebook.shape[1]), self.axis).contiguous()

    def subvector_errors(self, weight: Tensor) -> Tensor:
        """Relative Frobenius error of each strip.

        Parameters
        ----------
        weight : Tensor of this record's shape
            The original weights.

        Returns
        -------
        Tensor, shape (n_subvectors,), float32
        """
        original, restored = (
            cut_strips(_turned(as_matrix(part), self.axis), self.n_subvectors)
            for part in (weight, self.restore())
        )
        return relative_error(restored.double() - original.double(), original)


@dataclass(frozen=True)
class Product(Setting):
    """Cut the weight matrix (out, in * kh * kw) into strips and cluster each strip's rows.

    Each row of a strip, a sub-vector, is replaced by the nearest of k centroids; stored
    are the centroids' numbers and a codebook for each strip. Tensors with one axis are
    left alone.

    Parameters
    ----------
    n_subvectors : int
        Number of strips s, at most the length of the axis. Their widths differ by at
        most one.
    n_centroids : int
        Centroids k of each strip, at most the number of its sub-vectors. Those that no
        strip uses are not stored.
    axis : {1, 0}
        Cut columns into strips, so that each row of the matrix becomes s sub-vectors; or
        cut rows, so that each column does.

    References
    ----------
    Jégou, Douze, Schmid. "Product quantization for nearest neighbor search". IEEE
    Transactions on Pattern Analysis and Machine Intelligence, 2011.
    Gong, Liu, Yang, Bourdev. "Compressing deep convolutional networks using vector
    quantization". 2014. arXiv:1412.6115.

    Examples
    --------
    >>> import torch
    >>> weight = torch.tensor([[1.0, 2.0, 5.0], [3.0, 4.0, 5.0]])
    >>> Product(n_subvectors=2, n_centroids=1)(weight).restore()
    tensor([[2., 3., 5.],
            [2., 3., 5.]])
    """

    n_subvectors: int = dial(
        256,
        "power",
        "Sub-vectors s",
        "The matrix is cut into s strips, each with a codebook: m s codes of log2 k bits.",
        low=1,
        high=4096,
    )
    n_centroids: int = dial(
        16,
        "power",
        "Centroids k",
        "Each strip's rows take k values found by k-means: codebooks of k n numbers in all.",
        low=2,
        high=256,
    )
    axis: int = dial(
        1,
        "choice",
        "Cut",
        "Cut columns, so that rows of the matrix become s pieces; or rows.",
        options=(("Columns", 1), ("Rows", 0)),
    )

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_count("Product", "n_subvectors", self.n_subvectors, 1, 1 << 20)
        check_count("Product", "n_centroids", self.n_centroids, 1, MAX_CENTROIDS)
        check_count("Product", "axis", self.axis, 0, 1)

    def describe(self) -> str:
        """Say the step in a few words."""
        where = "" if self.axis == 1 else " of rows"
        return f"Product {self.n_subvectors} × {self.n_centroids}{where}"

    def encode(self, values: Tensor, mask: Tensor | None) -> Record:
        """Cluster strips of `values`; what `mask` leaves out stays zero."""
        if values.ndim < 2:
            return Dense(values)
        matrix = _turned(as_matrix(values), self.axis)
        length = matrix.shape[1]
        clusters = cluster_vectors(
            cut_strips(matrix, min(self.n_subvectors, length)), self.n_centroids
        )
        codebook = join_strips(clusters.centroids, length)
        return ProductQuantized(
            clusters.codes, Dense(codebook), len(codebook), values.shape, mask, self.axis
        )


def cut_strips(matrix: Tensor, n_strips: int) -> Tensor:
    """Cut the columns of a matrix into strips, the wider ones first.

    Parameters
    ----------
    matrix : Tensor, shape (m, n)
    n_strips : int
        From 1 to n.

    Returns
    -------
    Tensor, shape (n_strips, m, ceil(n / n_strips))
        Where strips are narrower by one, their last column is zero.
    """
    m, n = matrix.shape
    width, n_wide = -(-n // n_strips), n % n_strips
    if not n_wide:
        return matrix.reshape(m, n_strips, width).transpose(0, 1)
    wide = matrix[:, : n_wide * width].reshape(m, n_wide, width)
    narrow = matrix[:, n_wide * width :].reshape(m, n_strips - n_wide, width - 1)
    return torch.cat([wide, pad(narrow, (0, 1))], 1).transpose(0, 1)


def join_strips(strips: Tensor, n_columns: int) -> Tensor:
    """Put strips together again: the inverse of `cut_strips`.

    Parameters
    ----------
    strips : Tensor, shape (n_strips, m, width)
    n_columns : int

    Returns
    -------
    Tensor, shape (m, n_columns)
    """
    n_strips, m, width = strips.shape
    n_wide, rows = n_columns % n_strips, strips.transpose(0, 1)
    if not n_wide:
        return rows.reshape(m, n_columns)
    wide, narrow = rows[:, :n_wide], rows[:, n_wide:, : width - 1]
    return torch.cat([wide.reshape(m, n_wide * width), narrow.flatten(1)], 1)


def _turned(matrix: Tensor, axis: int) -> Tensor:
    """Return the matrix, or its transpose where rows are cut; its own inverse."""
    return matrix if axis == 1 else matrix.T


def product_fields(
    layout: dict[str, Any], shape: torch.Size, dtype: torch.dtype, table_bits: int | None = None
) -> tuple[int, ...]:
    """Bits of each field that the layout of a `ProductQuantized` promises.

    Parameters
    ----------
    layout : dict
        As `ProductQuantized.layout`.
    shape, dtype : torch.Size, torch.dtype
        Of the restored tensor.
    table_bits : int, optional
        Bits of the codebooks; left out, those of a dense codebook.

    Returns
    -------
    tuple of int
        Kept positions where the layout has some, codes, codebooks.
    """
    rows, columns = product_codebook_shape(layout, shape)
    n_vectors = shape.numel() // columns
    dense_bits = rows * columns * dtype.itemsize * 8
    n_codes = layout["subvectors"] * n_vectors
    return vector_fields(layout, shape, n_codes, dense_bits if table_bits is None else table_bits)


def product_codebook_shape(layout: dict[str, Any], shape: torch.Size) -> torch.Size:
    """Return the shape (k, length of the axis that was cut) of the codebooks together."""
    length = shape[0] if layout["axis"] == 0 else shape.numel() // shape[0]
    return torch.Size([layout["centroids"], length])


def product_rate(
    n_rows: int, n_columns: int, n_subvectors: int, n_centroids: int, bits: int = 32
) -> float:
    """Compression ratio ``b m n / (b k n + m s log2 k)`` of an m by n matrix cut by columns.

    The numerator counts m n numbers of b bits; the denominator k n such numbers for the
    codebooks of all strips, and m s codes of log2 k bits. The header, and that a code has
    whole bits, are left out.

    References
    ----------
    Gong, Liu, Yang, Bourdev. "Compressing deep convolutional networks using vector
    quantization". 2014. arXiv:1412.6115.
    """
    codebooks = bits * n_centroids * n_columns
    codes = n_rows * n_subvectors * log2(n_centroids)
    return bits * n_rows * n_columns / (codebooks + codes)
