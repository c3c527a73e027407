"""Singular value decomposition of a weight matrix: randomized at once, exact when there is time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from explorer.compress.records.record import as_matrix

QUICK_OPERATIONS = 1_000_000_000
QUICK_RANK = 256
OVERSAMPLING = 16
POWER_ITERATIONS = 2
LARGE = 2.0**40


@dataclass(frozen=True)
class Factors:
    """Singular value decomposition of a weight matrix, largest values first.

    `left`: shape (m, r); left singular vectors. `values`: shape (r,); singular values. `right`:
    shape (r, n); right singular vectors, as rows. `exact`: false for a randomized factorization,
    whose values are a little too small. `squared_norm`: sum of squares of the whole matrix.
    `scale`: a power of two that all singular values are to be multiplied by: above 1 only where
    they would leave the range of float32.
    """

    left: Tensor
    values: Tensor
    right: Tensor
    exact: bool
    squared_norm: float
    scale: float = 1.0

    @property
    def singular_values(self) -> Tensor:
        """The singular values, float64, shape (r,)."""
        return self.values.double() * self.scale

    def rank_for_energy(self, energy: float) -> int:
        """Return the least rank that keeps a share `energy` of the squared norm, at least 1."""
        kept = torch.cumsum(self.singular_values**2, 0)
        total = float(kept[-1]) if self.exact else self.squared_norm
        target = torch.tensor(energy * total * (1 - 1e-12), dtype=kept.dtype)
        return min(int(torch.searchsorted(kept, target)) + 1, len(self.values))

    def squared_error(self, rank: int) -> float:
        """Squared Frobenius norm of what the first `rank` terms leave out."""
        if self.exact:
            return float((self.singular_values[rank:] ** 2).sum())
        return max(0.0, self.squared_norm - float((self.singular_values[:rank] ** 2).sum()))

    def n_nonzero(self, rank: int) -> int:
        """Entries of the product of the first `rank` terms in no row or column of zeros."""
        rows, columns = self._first_terms
        return int((rows < rank).sum()) * int((columns < rank).sum())

    @cached_property
    def _first_terms(self) -> tuple[Tensor, Tensor]:
        """First term that reaches each row and each column; their number where none does."""
        return _first_used(self.left != 0), _first_used(self.right.T != 0)

    def product_into(self, rank: int, out: Tensor) -> None:
        """Write the product of the first `rank` terms into the matrix `out` (m, n)."""
        torch.mm(self.left[:, :rank] * self.values[:rank], self.right[:rank], out=out)


def _first_used(used: Tensor) -> Tensor:
    return torch.where(used.any(1), used.int().argmax(1), used.shape[1])


class FactorStore(Protocol):
    """Keeps exact factors by the content of the weights."""

    def get(self, weight: Tensor) -> Factors | None:
        """Return the factors of these very weights, if they are kept."""

    def put(self, weight: Tensor, factors: Factors) -> None:
        """Keep exact factors; never raises."""


class NoStore:
    """Keeps nothing."""

    def get(self, weight: Tensor) -> None:
        """Return None."""

    def put(self, weight: Tensor, factors: Factors) -> None:
        """Do nothing."""


def is_quick(weight: Tensor) -> bool:
    """Whether the exact factorization takes well under a second."""
    rows, columns = as_matrix(weight).shape
    return rows * columns * min(rows, columns) <= QUICK_OPERATIONS


def factorize(weight: Tensor) -> Factors:
    """Decompose a weight tensor, seen as a matrix (out, in * kh * kw), exactly.

    Large matrices go through the eigenvectors of the smaller Gram matrix in double
    precision, which is several times faster than a direct decomposition; singular
    values below about 1e-8 of the largest are noise then.

    `weight`: left unchanged. Returns: with all min(m, n) singular values, float32.
    """
    matrix, scale = _scaled(weight)
    if is_quick(weight):
        parts = torch.linalg.svd(matrix, full_matrices=False)
    elif len(matrix) <= matrix.shape[1]:
        parts = _from_gram(matrix)
    else:
        left, values, right = _from_gram(matrix.T.contiguous())
        parts = (right.T, values, left.T)
    return _factors(matrix, parts, scale, exact=True)


def factorize_randomly(weight: Tensor, rank: int = QUICK_RANK) -> Factors:
    """Decompose a weight tensor approximately, for its leading `rank` singular values.

    `weight`: left unchanged. `rank`: singular values wanted; at most min(m, n) are returned. The
    same matrix gives the same factors.

    References
    ----------
    Halko, Martinsson, Tropp. "Finding structure with randomness". SIAM Review, 2011.
    arXiv:0909.4061.
    """
    matrix, scale = _scaled(weight)
    wanted = min(rank, *matrix.shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        size = min(wanted + OVERSAMPLING, *matrix.shape)
        left, values, right = torch.svd_lowrank(matrix, size, POWER_ITERATIONS)
    parts = (left[:, :wanted], values[:wanted], right[:, :wanted].T)
    return _factors(matrix, parts, scale, exact=False)


def needed_scale(weight: Tensor) -> float:
    """Return a power of two by which huge weights are divided before they are factored, or 1."""
    most = float(weight.detach().abs().max()) if weight.numel() else 0.0
    return 2.0 ** (math.frexp(most)[1] - 1) if most > LARGE else 1.0


def _scaled(weight: Tensor) -> tuple[Tensor, float]:
    """Return the matrix (m, n) in float32, divided by a power of two where its squares are huge."""
    matrix, scale = as_matrix(weight.detach()).float(), needed_scale(weight)
    return (matrix, scale) if scale == 1 else (matrix / scale, scale)


def _from_gram(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Decompose a matrix with no more rows than columns."""
    gram = torch.zeros(len(matrix), len(matrix), dtype=torch.float64)
    for columns in matrix.split(4096, dim=1):
        wide = columns.double()
        gram.addmm_(wide, wide.T)
    squares, vectors = torch.linalg.eigh(gram)
    values = squares.flip(0).clamp(min=0).sqrt().float()
    left = vectors.flip(1).float().contiguous()
    alive = values > values[0] * 1e-7
    scale = torch.where(alive, 1 / values.clamp(min=torch.finfo(torch.float32).tiny), 0)
    return left, values, (left.T @ matrix) * scale[:, None]


def _factors(
    matrix: Tensor, parts: tuple[Tensor, Tensor, Tensor], scale: float, exact: bool
) -> Factors:
    left, values, right = (part.contiguous() for part in parts)
    norm = scale * float(torch.linalg.vector_norm(matrix, dtype=torch.float64))
    return Factors(left, values, right, exact, norm**2, scale)
