"""Residual quantization: cluster the rows, then what is left of them, again and again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import log2
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from explorer.compress.methods.setting import Setting, check_count, dial
from explorer.compress.methods.vector_kmeans import VectorClusters, cluster_vectors
from explorer.compress.records.record import Dense, Record, as_matrix
from explorer.compress.records.spec import TensorSpec
from explorer.compress.records.vectors import MAX_CENTROIDS, VectorCoded, relative_error

MAX_STAGES = 64


@dataclass(frozen=True, eq=False)
class ResidualQuantized(VectorCoded):
    """Each row of a matrix as the sum of one centroid of every stage.

    `codes`: shape (n_stages, m), uint8 or int16. `codebook`: the stages' centroids below each
    other.
    """

    kind = "residual"

    @property
    def n_stages(self) -> int:
        """Number of stages t."""
        return self.codes.shape[0]

    @property
    def meta(self) -> dict[str, Any]:
        """Stages and centroids."""
        return {"stages": self.n_stages, "centroids": self.n_centroids}

    @classmethod
    def check_counts(cls, spec: TensorSpec) -> None:
        """Raise ValueError where the number of stages is not what it may be."""
        spec.count("stages", MAX_STAGES, low=1)

    @classmethod
    def codebook_shape_in(cls, spec: TensorSpec) -> torch.Size:
        """Return the shape (t k, n) of the codebooks together."""
        n_columns = spec.n_weights // spec.shape[0]
        return torch.Size([spec.layout["stages"] * spec.layout["centroids"], n_columns])

    @classmethod
    def codes_shape_in(cls, spec: TensorSpec) -> torch.Size:
        """Return the shape (n_stages, m) of the codes."""
        return torch.Size([spec.layout["stages"], spec.shape[0]])

    @classmethod
    def numbers_in(cls, spec: TensorSpec) -> int:
        """Count a sum of each weight for every stage, codes and entries of the codebooks."""
        more = (spec.layout["stages"] - 1) * spec.n_weights
        return super().numbers_in(spec) + more

    @property
    def centroids(self) -> Tensor:
        """Centroids, shape (n_stages, k, n)."""
        return self.codebook.restore().unflatten(0, (self.n_stages, self.n_centroids))

    def decode(self) -> Tensor:
        """Return the sums of centroids, added stage by stage in float32, as a matrix."""
        return deque(self._partial_sums(), maxlen=1).pop().to(self.dtype)

    def stage_errors(self, weight: Tensor) -> Tensor:
        """Relative Frobenius error with the first stage alone, the first two, and so on.

        `weight`: this record's shape; the original weights. Returns: shape (n_stages,), float32.
        """
        original = as_matrix(weight)
        sums = (self.masked(part.to(self.dtype)).double() for part in self._partial_sums())
        errors = [relative_error((part - original)[None], original[None]) for part in sums]
        return torch.cat(errors)

    def _partial_sums(self) -> Iterator[Tensor]:
        total = torch.zeros(())
        for codes, centroids in zip(self.codes, self.centroids, strict=True):
            total = total + centroids.float()[codes.long()]
            yield total


@dataclass(frozen=True)
class Residual(Setting):
    """Cluster the rows of the weight matrix (out, in * kh * kw), then their residuals.

    A row becomes the nearest of k centroids; what is left of it is clustered in the same
    way, t times in all, and the row is restored as a sum of t centroids. All t codebooks
    are stored, k rows each, so it pays where the matrix has far more than t k rows.
    Tensors with one axis are left alone.

    Parameters
    ----------
    n_stages : int
        Number of stages t; the last ones are left out where nothing is left of any row.
    n_centroids : int
        Centroids k of each stage, at most the number of rows.

    References
    ----------
    Chen, Guan, Wang. "Approximate nearest neighbor search by residual vector
    quantization". Sensors, 2010.
    Gong, Liu, Yang, Bourdev. "Compressing deep convolutional networks using vector
    quantization". 2014. arXiv:1412.6115.

    Examples
    --------
    >>> import torch
    >>> weight = torch.tensor([[0.0, 1.0], [0.0, 2.0], [8.0, 1.0], [8.0, 2.0]])
    >>> Residual(n_stages=2, n_centroids=2)(weight).restore()
    tensor([[0., 1.],
            [0., 2.],
            [8., 1.],
            [8., 2.]])
    """

    n_stages: int = dial(
        4,
        "integer",
        "Stages t",
        "Rows are clustered, then what is left of them, t times: row ≈ c₁ + … + cₜ, with t codes "
        "a row. Each stage lowers the error and adds a codebook.",
        low=1,
        high=16,
        step=1,
    )
    n_centroids: int = dial(
        16,
        "power",
        "Centroids k",
        "Each stage has k centroids as long as a row of n weights: codebooks of t · k · n "
        "numbers, and ⌈log₂ k⌉ bits a code. More: smaller errors, but a larger file.",
        low=2,
        high=256,
    )

    help = "Let rows share a few patterns, then let what is left share some more."
    records = (ResidualQuantized,)

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_count("Residual", "n_stages", self.n_stages, 1, MAX_STAGES)
        check_count("Residual", "n_centroids", self.n_centroids, 1, MAX_CENTROIDS)

    def describe(self) -> str:
        """Say the step in a few words."""
        stages = "stage" if self.n_stages == 1 else "stages"
        return f"Residual {self.n_stages} {stages} × {self.n_centroids}"

    def encode(self, values: Tensor, mask: Tensor | None) -> Record:
        """Cluster the rows of `values`; what `mask` leaves out stays zero."""
        if values.ndim < 2:
            return Dense(values)
        stages = self._stages(as_matrix(values))
        k = max(stage.centroids.shape[1] for stage in stages)
        codebook = torch.cat(
            [pad(s.centroids[0], (0, 0, 0, k - s.centroids.shape[1])) for s in stages]
        )
        codes = torch.cat([stage.codes for stage in stages])
        return ResidualQuantized(codes, Dense(codebook), k, values.shape, mask)

    def _stages(self, matrix: Tensor) -> list[VectorClusters]:
        stages: list[VectorClusters] = []
        total = torch.zeros((), device=matrix.device)
        left = matrix
        while not stages or (len(stages) < self.n_stages and bool(left.any())):
            stages.append(cluster_vectors(left[None], self.n_centroids))
            total = total + stages[-1].decode()[0].float()
            left = (matrix.float() - total).to(matrix.dtype)
        return stages


def residual_rate(
    n_rows: int, n_columns: int, n_stages: int, n_centroids: int, bits: int = 32
) -> float:
    """Compression ratio ``b m n / (t (b k n + m log2 k))`` of an m by n matrix.

    The numerator counts m n numbers of b bits; the denominator, for each stage, k n such
    numbers of the codebook and m codes of log2 k bits. The header, and that a code has
    whole bits, are left out.
    """
    stage = bits * n_centroids * n_columns + n_rows * log2(n_centroids)
    return bits * n_rows * n_columns / (n_stages * stage)


def printed_residual_rate(n_rows: int, n_columns: int, n_stages: int, n_centroids: int) -> float:
    """Compression ratio ``m / (t k + log2(k) t n)``, as it is printed in the paper.

    Counting bits, and dividing both sides of the fraction by b n, gives `residual_rate` as
    ``m / (t k + log2(k) t m / (b n))``. The printed formula has n in place of m / (b n): it
    takes each stage's codes for log2(k) n rows of b-bit numbers, where they are m codes of
    log2(k) bits. So it is far too small where n is large, below 1 for most layers.

    References
    ----------
    Gong, Liu, Yang, Bourdev. "Compressing deep convolutional networks using vector
    quantization". 2014. arXiv:1412.6115.
    """
    return n_rows / (n_stages * n_centroids + log2(n_centroids) * n_stages * n_columns)
