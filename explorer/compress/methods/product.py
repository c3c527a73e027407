"""Product quantization: the matrix is cut into strips, each with a codebook of its own."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import Any

import torch
from torch import Tensor

from explorer.compress.methods.setting import Setting, check_count, dial
from explorer.compress.methods.vector_kmeans import (
    cluster_vectors,
    cut_strips,
    join_strips,
    look_up,
)
from explorer.compress.records.record import Dense, Record, as_matrix
from explorer.compress.records.spec import TensorSpec
from explorer.compress.records.vectors import MAX_CENTROIDS, VectorCoded, relative_error


@dataclass(frozen=True, eq=False)
class ProductQuantized(VectorCoded):
    """A matrix as strips, and each strip's rows as numbers of centroids.

    `codes`: shape (n_subvectors, n_vectors), uint8 or int16. `codebook`: centroids of all strips
    side by side, cut as the matrix is; `length` is that of the axis that was cut. `axis`: 1 where
    columns were cut into strips, 0 where rows were.
    """

    kind = "product"

    axis: int

    @property
    def n_subvectors(self) -> int:
        """Number of strips s."""
        return self.codes.shape[0]

    @property
    def meta(self) -> dict[str, Any]:
        """Strips, centroids and axis."""
        counts = {"subvectors": self.n_subvectors, "centroids": self.n_centroids}
        return counts | {"axis": self.axis}

    @classmethod
    def check_counts(cls, spec: TensorSpec) -> None:
        """Raise ValueError where the axis or the number of strips is not what it may be."""
        spec.count("axis", 1)
        spec.count("subvectors", _length(spec), low=1)

    @classmethod
    def codebook_shape_in(cls, spec: TensorSpec) -> torch.Size:
        """Return the shape (k, length of the axis that was cut) of the codebooks together."""
        return torch.Size([spec.layout["centroids"], _length(spec)])

    @classmethod
    def codes_shape_in(cls, spec: TensorSpec) -> torch.Size:
        """Return the shape (n_subvectors, n_vectors) of the codes."""
        return torch.Size([spec.layout["subvectors"], spec.n_weights // _length(spec)])

    @classmethod
    def more_in(cls, spec: TensorSpec) -> dict[str, Any]:
        """Return the axis."""
        return {"axis": spec.layout["axis"]}

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

        `weight`: this record's shape; the original weights. Returns: shape (n_subvectors,),
        float32.
        """
        original, restored = (
            cut_strips(_turned(as_matrix(part), self.axis), self.n_subvectors)
            for part in (weight, self.restore())
        )
        return relative_error(restored.double() - original.double(), original)


def _length(spec: TensorSpec) -> int:
    """Return the length of the axis that was cut."""
    n_rows = spec.shape[0]
    return n_rows if spec.layout["axis"] == 0 else spec.n_weights // n_rows


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
        "The matrix of m rows and n columns is cut into s strips, each with its own codebook: "
        "m · s codes of ⌈log₂ k⌉ bits. More strips: smaller errors, more codes.",
        low=1,
        high=4096,
    )
    n_centroids: int = dial(
        16,
        "power",
        "Centroids k",
        "The pieces in a strip share k patterns, found by k-means: codebooks of k · n numbers in "
        "all, and ⌈log₂ k⌉ bits a code. More patterns: smaller errors, but a larger file.",
        low=2,
        high=256,
    )
    axis: int = dial(
        1,
        "choice",
        "Cut",
        "Columns: each row of the matrix becomes s pieces, and codebooks take k · n numbers. "
        "Rows: each column becomes s pieces, and codebooks take k · m numbers.",
        options=(("Columns", 1), ("Rows", 0)),
    )

    help = "Cut the matrix into strips and let each strip's rows share a few patterns."
    records = (ProductQuantized,)

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


def _turned(matrix: Tensor, axis: int) -> Tensor:
    """Return the matrix, or its transpose where rows are cut; its own inverse."""
    return matrix if axis == 1 else matrix.T


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
