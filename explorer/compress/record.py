"""What a step leaves behind: records that restore a dense tensor and know their exact size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from explorer.compress.support import support_code

if TYPE_CHECKING:
    from explorer.compress.setting import Setting

FLOAT_TYPES = (torch.float32, torch.float16, torch.bfloat16)


class Record(ABC):
    """A compressed tensor."""

    @property
    @abstractmethod
    def shape(self) -> torch.Size:
        """Shape of the restored tensor."""

    @property
    @abstractmethod
    def dtype(self) -> torch.dtype:
        """Type of the restored tensor."""

    @property
    @abstractmethod
    def field_bits(self) -> tuple[int, ...]:
        """Exact bits of each field that the file holds for this tensor, in order."""

    @property
    @abstractmethod
    def layout(self) -> dict[str, Any]:
        """What the file's header says of the record: its kind and its counts."""

    @property
    def size_bits(self) -> int:
        """Exact bits of this tensor, before each field is padded to a byte."""
        return sum(self.field_bits)

    @property
    def mask(self) -> Tensor | None:
        """Bool, the shape of the tensor, True where kept; None where nothing was pruned."""
        return None

    @property
    def symbols(self) -> Tensor | None:
        """Small integers that an entropy coder may write, any shape; None if there are none."""
        return None

    @property
    def alphabet(self) -> int:
        """Number of values that `symbols` can take."""
        return 0

    def split_fields(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Return `field_bits` in three parts: kept positions, `symbols`, and all else."""
        start = 0 if self.mask is None else 1
        end = start + (self.symbols is not None)
        return self.field_bits[:start], self.field_bits[start:end], self.field_bits[end:]

    @abstractmethod
    def restore(self) -> Tensor:
        """Return the dense tensor that the record stands for."""

    def then(self, setting: Setting) -> Record:
        """Apply a later step to this record."""
        return setting.follow(self)

    def restricted(self, mask: Tensor) -> Record:
        """Return the same record with only the positions in `mask` kept."""
        from explorer.compress.prune import Pruned

        return Pruned.of(self.restore(), mask)

    def stored(self, **how: Any) -> Record:
        """Return the same record written in another way: ``index_bits``, ``coder``."""
        from explorer.compress.stored import Stored

        return Stored.of(self, **how)

    @property
    def n_weights(self) -> int:
        """Entries of the tensor."""
        return self.shape.numel()


@dataclass(frozen=True, eq=False)
class Dense(Record):
    """A tensor as it is, every entry written out.

    Attributes
    ----------
    values : Tensor, any shape
    """

    values: Tensor

    @classmethod
    def of(cls, weight: Tensor) -> Dense:
        """Check `weight` and wrap it; raises as `Setting.__call__` says."""
        check_weight(weight)
        return cls(weight.detach())

    @property
    def shape(self) -> torch.Size:
        """Shape of the tensor."""
        return self.values.shape

    @property
    def dtype(self) -> torch.dtype:
        """Type of the tensor."""
        return self.values.dtype

    @property
    def field_bits(self) -> tuple[int, ...]:
        """Entries times the bits of their type."""
        return (self.values.numel() * self.values.element_size() * 8,)

    @property
    def layout(self) -> dict[str, Any]:
        """Kind alone."""
        return {"kind": "dense"}

    def restore(self) -> Tensor:
        """Return the tensor itself."""
        return self.values


@dataclass(frozen=True, eq=False)
class Coded(Record):
    """Kept weights as small integers; what they stand for is up to the subclass.

    Attributes
    ----------
    codes : Tensor, shape (n_kept,), uint8 or int16
        One code for each kept weight, in row-major order.
    positions : Tensor or None
        The `mask`: bool, shape of the tensor; None where every weight is kept.
    full_shape : torch.Size
        Shape of the tensor.
    """

    codes: Tensor
    positions: Tensor | None
    full_shape: torch.Size

    @property
    def mask(self) -> Tensor | None:
        """Bool, True where kept; None where nothing was pruned."""
        return self.positions

    @property
    def shape(self) -> torch.Size:
        """Shape of the restored tensor."""
        return self.full_shape

    @property
    def symbols(self) -> Tensor:
        """The codes."""
        return self.codes

    @property
    def alphabet(self) -> int:
        """Number of values that a code can take."""
        return 1 << self.code_bits

    def split_fields(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Return the positions, the codes and the table."""
        positions, codes, table = self.field_bits
        return (positions,), (codes,), (table,)

    @property
    @abstractmethod
    def code_bits(self) -> int:
        """Bits of one code."""

    @property
    @abstractmethod
    def table_bits(self) -> int:
        """Bits of the codebook, or of the scales, that give the codes their meaning."""

    @property
    @abstractmethod
    def meta(self) -> dict[str, Any]:
        """Kind and counts that the file's header needs, but for the kept weights."""

    @property
    def field_bits(self) -> tuple[int, ...]:
        """Positions, codes and table."""
        return coded_fields(self.n_weights, self.codes.numel(), self.code_bits, self.table_bits)

    @property
    def layout(self) -> dict[str, Any]:
        """Kind, kept weights, and what the table needs."""
        return self.meta | {"kept": self.codes.numel()}

    @abstractmethod
    def decode(self) -> Tensor:
        """Return the values of the kept weights, shape (n_kept,)."""

    def restore(self) -> Tensor:
        """Return the dense tensor: decoded values where kept, zero elsewhere."""
        return scatter(self.decode(), self.positions, self.full_shape)

    def then(self, setting: Setting) -> Record:
        """Prune the codes themselves; let any other step start from the restored weights."""
        from explorer.compress.prune import Pruned

        record = super().then(setting)
        return self.restricted(record.kept) if isinstance(record, Pruned) else record

    def restricted(self, mask: Tensor) -> Record:
        """Return the same codes at fewer positions."""
        inside = mask.flatten() if self.positions is None else mask[self.positions]
        return replace(self, codes=self.codes[inside], positions=mask)


def coded_fields(
    n_weights: int, n_kept: int, code_bits: int, table_bits: int
) -> tuple[int, int, int]:
    """Bits of the kept positions, of their codes, and of the table that explains them."""
    return support_code(n_weights, n_kept).size_bits, n_kept * code_bits, table_bits


def scatter(values: Tensor, mask: Tensor | None, shape: torch.Size) -> Tensor:
    """Put `values` (n_kept,) at the True places of `mask`, zeros elsewhere."""
    if mask is None:
        return values.reshape(shape)
    dense = torch.zeros(shape, dtype=values.dtype, device=values.device)
    dense[mask] = values
    return dense


def gather(values: Tensor, mask: Tensor | None) -> Tensor:
    """Return the entries of `values` where `mask` is True, in row-major order."""
    return values.flatten() if mask is None else values[mask]


def keep_zeros(values: Tensor, mask: Tensor | None) -> Tensor | None:
    """Return `mask`, or where none is given one that leaves exact zeros out, if there are any."""
    if mask is not None:
        return mask
    nonzero = values != 0
    return None if bool(nonzero.all()) else nonzero


def check_weight(weight: Tensor) -> None:
    """Raise unless `weight` is a finite, non-empty floating-point tensor."""
    if not isinstance(weight, Tensor):
        raise TypeError(f"weight must be a torch.Tensor; got {type(weight).__name__}")
    if weight.dtype not in FLOAT_TYPES:
        known = ", ".join(str(dtype) for dtype in FLOAT_TYPES)
        raise TypeError(
            f"weight must be one of {known}; got {weight.dtype}. Convert it first, "
            "for example with weight.float()"
        )
    if weight.numel() == 0:
        raise ValueError(f"weight is empty: shape {tuple(weight.shape)}")
    if not bool(torch.isfinite(weight.detach()).all()):
        bad = int((~torch.isfinite(weight.detach())).sum())
        raise ValueError(
            f"weight holds NaN or infinite entries ({bad} of {weight.numel()}); "
            "repair or retrain the network before compressing it"
        )
