"""Low rank: a weight matrix as the product of two thin ones, by singular value decomposition."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from explorer.compress.coding.bits import Field, Reader, tensor_bytes, tensor_from
from explorer.compress.coding.positions import all_kept, read_mask, support_code, write_mask
from explorer.compress.methods.setting import Setting, check_count, check_fraction, dial
from explorer.compress.methods.svd import Factors, factorize
from explorer.compress.records.record import Dense, Record, Step
from explorer.compress.records.spec import Layout, TensorSpec

HALF_TYPES = (torch.float16, torch.bfloat16)
LARGE = 2.0**100


def break_even_rank(n_rows: int, n_columns: int) -> int:
    """Return the largest rank k with ``k (m + n + 1) <= m n``."""
    return (n_rows * n_columns) // (n_rows + n_columns + 1)


@dataclass(frozen=True, eq=False)
class LowRanked(Record):
    """A matrix as ``left * values @ right``.

    `values`: shape (k,); singular values, in the type of the factors: that of the weights, or
    float32. `right`: the factors are compressed by the steps that follow. Where singular values
    would leave the range of their type, `left` holds a power of two of them. `full_shape`: shape of
    the weight tensor. `value_dtype`: type of the restored weights. `kept`: the `mask`, where an
    earlier step pruned.
    """

    kind = "low_rank"

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
    def layout(self) -> Layout:
        """Rank, layouts of the factors, their type if it is half precision, and number kept."""
        dtype = self.values.dtype
        half = {"factors": dtype_name(dtype)} if dtype in HALF_TYPES else {}
        kept = {} if self.kept is None else {"kept": int(self.kept.sum())}
        factors = {"left": self.left.layout, "right": self.right.layout}
        return Layout.of(LowRanked, rank=self.rank, **half, **factors, **kept)

    @classmethod
    def fields_in(cls, spec: TensorSpec) -> tuple[Field, ...]:
        """Return left factor, singular values, right factor, and kept positions if it has any."""
        layout, shape = spec.layout, spec.shape
        sides = all(isinstance(layout.get(side), dict) for side in ("left", "right"))
        if len(shape) < 2 or not spec.n_weights or not sides:
            raise ValueError("a factored tensor needs two axes and two factors")
        rank = spec.count("rank", min(shape[0], spec.n_weights // shape[0]))
        left, right = _factors(spec)
        fields = (*left.fields, Field("values", left.value_bits * rank), *right.fields)
        return fields if "kept" not in layout else (*fields, _positions(spec))

    @classmethod
    def numbers_in(cls, spec: TensorSpec) -> int:
        """Count the weights, and the numbers of both factors."""
        return spec.n_weights + sum(factor.n_numbers for factor in _factors(spec))

    def write(self) -> Iterator[bytes]:
        """Yield the left factor, singular values, the right factor, and kept positions."""
        yield from self.left.write()
        yield tensor_bytes(self.values)
        yield from self.right.write()
        if self.kept is not None:
            yield write_mask(self.kept)

    @classmethod
    def read(cls, spec: TensorSpec, reader: Reader) -> LowRanked:
        """Read the left factor, singular values, the right factor, and kept positions."""
        rank, mask = spec.layout["rank"], None
        factors = _factors(spec)
        left = factors[0].read(reader)
        dtype = factors[0].dtype
        values = tensor_from(reader(dtype.itemsize * rank), torch.Size([rank]), dtype)
        right = factors[1].read(reader)
        if "kept" in spec.layout:
            data = reader(_positions(spec).n_bytes)
            mask = read_mask(data, spec.shape, spec.layout["kept"])
            mask = all_kept(spec.shape) if mask is None else mask
        return cls(left, values, right, spec.shape, spec.dtype, mask)

    def restore(self) -> Tensor:
        """Return the product, zero where an earlier step pruned."""
        left, right = self.left.restore().float(), self.right.restore().float()
        values = self.values.float()
        most = float(left.abs().max()) * float(values.abs().max()) if self.rank else 0.0
        scale = _scale_over(most, LARGE)
        product = torch.mm(left * (values / scale), right)
        if scale != 1 or self.values.dtype != torch.float32:
            end = torch.finfo(self.value_dtype).max
            product = product.clamp_(-end / scale, end / scale).mul_(scale)
        dense = product.reshape(self.full_shape).to(self.value_dtype)
        return dense if self.kept is None else torch.where(self.kept, dense, 0)

    def then(self, step: Step) -> Record:
        """Compress the two factors."""
        return self.with_parts(lambda factor: factor.then(step))

    def with_parts(self, change: Callable[[Record], Record]) -> Record:
        """Change the two factors."""
        return replace(self, left=change(self.left), right=change(self.right))


def _factors(spec: TensorSpec) -> tuple[TensorSpec, TensorSpec]:
    """Return what is promised of the left and of the right factor."""
    rank, n_rows = spec.layout["rank"], spec.shape[0]
    shapes = torch.Size([n_rows, rank]), torch.Size([rank, spec.n_weights // n_rows])
    dtype = torch.float32
    if "factors" in spec.layout:
        dtype = spec.dtype
        if dtype not in HALF_TYPES or spec.layout["factors"] != dtype_name(dtype):
            raise ValueError(f"header: factors of another type than {dtype}")
    left = spec.part(spec.layout["left"], shapes[0], dtype)
    return left, spec.part(spec.layout["right"], shapes[1], dtype)


def dtype_name(dtype: torch.dtype) -> str:
    """Name of a type as a header has it: "float16"."""
    return str(dtype).removeprefix("torch.")


def _scale_over(most: float, limit: float) -> float:
    """Return the least power of two, at least 1, that brings `most` down to `limit`."""
    return 2.0 ** math.ceil(math.log2(most / limit)) if limit < most < math.inf else 1.0


def _positions(spec: TensorSpec) -> Field:
    n_kept = spec.count("kept", spec.n_weights)
    return Field("indices", support_code(spec.n_weights, n_kept).size_bits)


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
        "Keeps the k largest singular values: W ≈ U · diag(σ₁ … σₖ) · Vᵀ, k · (m + n + 1) numbers "
        "in place of m · n. Higher: closer to the original, but a larger file.",
        low=1,
        high=512,
        step=1,
    )
    energy: float | None = dial(
        None,
        "fraction",
        "Energy kept",
        "Keeps the fewest singular values that hold a share e of the squared norm: σ₁² + … + σₖ² "
        "≥ e · Σ σᵢ². Higher: closer to the original, but a larger file.",
    )

    exclusive: ClassVar[tuple[tuple[str, ...], ...]] = (("rank", "energy"),)
    help = "Write the matrix as the product of two thin ones."
    records = (LowRanked,)

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_count("LowRank", "rank", self.rank, 1, 1 << 20)
        check_fraction("LowRank", "energy", self.energy)

    def describe(self) -> str:
        """Say the step in a few words."""
        if self.rank is not None:
            return f"Rank {self.rank}"
        return f"Rank for {100 * (self.energy or 0):.4g}% energy"

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
        dtype = values.dtype if values.dtype in HALF_TYPES else torch.float32
        singular = factors.singular_values[:k]
        scale = _scale_over(float(singular[0]), torch.finfo(dtype).max / 2)
        return LowRanked(
            Dense((factors.left[:, :k] * scale).to(dtype).contiguous()),
            (singular / scale).to(dtype),
            Dense(factors.right[:k].to(dtype).contiguous()),
            values.shape,
            values.dtype,
            mask,
        )
