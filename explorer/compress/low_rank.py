"""Low rank: a weight matrix as the product of two thin ones, by singular value decomposition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from explorer.compress.factors import Factors, factorize
from explorer.compress.record import Dense, Record
from explorer.compress.setting import Setting, check_count, check_fraction, dial
from explorer.compress.support import support_code


def break_even_rank(n_rows: int, n_columns: int) -> int:
    """Return the largest rank k with ``k (m + n + 1) <= m n``."""
    return (n_rows * n_columns) // (n_rows + n_columns + 1)


@dataclass(frozen=True, eq=False)
class LowRanked(Record):
    """A matrix as ``left * values @ right``.

    Attributes
    ----------
    left : Record of shape (m, k)
    values : Tensor, shape (k,), float32
    right : Record of shape (k, n)
        The factors are compressed by the steps that follow.
    full_shape : torch.Size
        Shape of the weight tensor.
    value_dtype : torch.dtype
        Type of the restored weights.
    kept : Tensor or None
        The `mask`, where an earlier step pruned.
    """

    left: Record
    values: Tensor
    right: Record
    full_shape: torch.Size
    value_dtype: torch.dtype
    kept: Tensor | None = None

    @property
    def shape(self) -> torch.Size:
        """Shape of the restored tensor."""
        return self.full_shape

    @property
    def dtype(self) -> torch.dtype:
        """Type of the restored weights."""
        return self.value_dtype

    @property
    def mask(self) -> Tensor | None:
        """Bool, True where kept; None where nothing was pruned."""
        return self.kept

    @property
    def rank(self) -> int:
        """Number of terms k."""
        return self.values.numel()

    @property
    def field_bits(self) -> tuple[int, ...]:
        """Left factor, singular values, right factor, and kept positions where there are some."""
        factors = (*self.left.field_bits, 32 * self.rank, *self.right.field_bits)
        if self.kept is None:
            return factors
        return (*factors, support_code(self.n_weights, int(self.kept.sum())).size_bits)

    @property
    def layout(self) -> dict[str, Any]:
        """Rank and the layouts of the factors."""
        layout = low_rank_layout(self.rank, self.left.layout, self.right.layout)
        return layout if self.kept is None else layout | {"kept": int(self.kept.sum())}

    def restore(self) -> Tensor:
        """Return the product, zero where an earlier step pruned."""
        product = torch.mm(self.left.restore() * self.values, self.right.restore())
        dense = product.reshape(self.full_shape).to(self.value_dtype)
        return dense if self.kept is None else torch.where(self.kept, dense, 0)

    def then(self, setting: Setting) -> Record:
        """Compress the two factors."""
        return replace(self, left=self.left.then(setting), right=self.right.then(setting))

    def stored(self, **how: Any) -> Record:
        """Write the two factors in another way."""
        return replace(self, left=self.left.stored(**how), right=self.right.stored(**how))


@dataclass(frozen=True)
class LowRank(Setting):
    """Keep the leading singular triplets of the weight matrix (out, in * kh * kw).

    Steps that follow compress the factors. Tensors with one axis are left alone.

    Parameters
    ----------
    rank : int, optional
        Number of singular values kept; at most min(m, n) are.
    energy : float, optional
        Least share of the squared Frobenius norm to keep, in [0, 1]. Exactly one of
        the two is given.

    References
    ----------
    Denton, Zaremba, Bruna, LeCun, Fergus. "Exploiting linear structure within
    convolutional networks for efficient evaluation". NeurIPS 2014. arXiv:1404.0736.

    Examples
    --------
    >>> import torch
    >>> LowRank(rank=1)(torch.ones(6, 6)).size_bits
    416
    """

    rank: int | None = dial(
        None,
        "integer",
        "Rank k",
        "Keep k singular values: k (m + n + 1) numbers in place of m n.",
        low=1,
        high=512,
        step=1,
    )
    energy: float | None = dial(
        None,
        "fraction",
        "Energy kept",
        "Keep as many singular values as hold this share of the squared norm.",
    )

    exclusive: ClassVar[tuple[tuple[str, ...], ...]] = (("rank", "energy"),)

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_count("LowRank", "rank", self.rank, 1, 1 << 20)
        check_fraction("LowRank", "energy", self.energy)

    def describe(self) -> str:
        """Say the step in a few words."""
        if self.rank is not None:
            return f"Rank {self.rank}"
        return f"Rank for {100 * (self.energy or 0):.4g} % energy"

    def chosen_rank(self, factors: Factors) -> int:
        """Return the rank for one matrix."""
        if self.rank is not None:
            return min(self.rank, len(factors.values))
        return factors.rank_for_energy(self.energy or 0.0)

    def encode(self, values: Tensor, mask: Tensor | None) -> Record:
        """Factor `values`; what `mask` leaves out stays zero."""
        if values.ndim < 2:
            return Dense(values)
        return self.truncated(factorize(values), values, mask)

    def truncated(self, factors: Factors, values: Tensor, mask: Tensor | None) -> Record:
        """Make the record of `values` from factors computed before."""
        k = self.chosen_rank(factors)
        return LowRanked(
            Dense(factors.left[:, :k].contiguous()),
            factors.values[:k].clone(),
            Dense(factors.right[:k].contiguous()),
            values.shape,
            values.dtype,
            mask,
        )


def low_rank_fields(n_rows: int, n_columns: int, rank: int) -> tuple[int, ...]:
    """Bits of the left factor, the singular values and the right factor, 32 a number."""
    return 32 * rank * n_rows, 32 * rank, 32 * rank * n_columns


def low_rank_layout(rank: int, left: dict, right: dict) -> dict[str, Any]:
    """Return what the file's header says of a factored tensor."""
    return {"kind": "low_rank", "rank": rank, "left": left, "right": right}
