"""Kept weights as small integers: what all methods that code weight by weight have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from explorer.compress.parted import Parted
from explorer.compress.promise import Field, Layout, Promise
from explorer.compress.record import Record, scatter

if TYPE_CHECKING:
    from explorer.compress.setting import Setting


@dataclass(frozen=True, eq=False)
class Coded(Parted):
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
    @abstractmethod
    def meta(self) -> dict[str, Any]:
        """Counts that the file's header needs, but for the kept weights."""

    @classmethod
    @abstractmethod
    def table_bits_in(cls, promise: Promise) -> int:
        """Return the bits of the codebook, or the scales, that give the codes their meaning."""

    @abstractmethod
    def decode(self) -> Tensor:
        """Return the values of the kept weights, shape (n_kept,)."""

    @property
    def levels(self) -> Tensor | None:
        """Value of each code, shape (alphabet,), where a code alone says it; else None."""
        return None

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
    def layout(self) -> Layout:
        """Kind, what the table needs, and kept weights."""
        return Layout.of(type(self), **self.meta, kept=self.codes.numel())

    @classmethod
    def rest_in(cls, promise: Promise) -> Field:
        """Return the table's field."""
        table_bits = cls.table_bits_in(promise)
        promise.count("kept", promise.n_weights)
        return Field("codebooks", table_bits)

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
