"""How a record's positions and codes are written: relative indices, entropy coding.

These steps change bytes, never weights.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from explorer.compress.gaps import count_symbols, gaps_of, index_symbols
from explorer.compress.record import Record
from explorer.compress.setting import Setting
from explorer.compress.support import support_code
from explorer.compress.symbols import SymbolModel, coded_bits, entropy_bits, table_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTHS = range(1, 9)


@dataclass(frozen=True, eq=False)
class SymbolStream:
    """Small integers on their way into the file.

    Attributes
    ----------
    symbols : ndarray, shape (n,)
    counts : ndarray, shape (alphabet,), int64
        How often each symbol comes.
    coder : {"huffman", "ans"}
    """

    symbols: np.ndarray
    counts: np.ndarray
    coder: str

    @cached_property
    def model(self) -> SymbolModel:
        """The model that goes before the symbols as a table."""
        return SymbolModel.of(self.counts, self.coder)

    @cached_property
    def payload(self) -> bytes:
        """The coded symbols."""
        return self.model.encode(self.symbols)

    @property
    def n_bytes(self) -> int:
        """Bytes of the payload, known from the counts for Huffman codes."""
        if self.coder == "huffman":
            if self.model.used.size < 2:
                return 0
            return -(-int((self.model.entries.astype(np.int64) * self.counts).sum()) // 8)
        return len(self.payload)

    @property
    def table_bits(self) -> int:
        """Bits of the table, padded to a byte."""
        return 8 * table_bytes(self.coder, self.counts.size)

    def pays(self, plain_bits: int) -> bool:
        """Whether table and payload take less than `plain_bits`."""
        return self.table_bits + 8 * self.n_bytes < plain_bits

    @property
    def layout(self) -> dict[str, Any]:
        """Coder and length."""
        return {"coder": self.coder, "bytes": self.n_bytes}


@dataclass(frozen=True, eq=False)
class IndexStream:
    """Kept positions as relative indices.

    Attributes
    ----------
    width : int
        Bits of an index.
    symbols : ndarray, shape (n_kept + n_fillers,), int32
    n_kept : int
    coder : str or None
        None writes every symbol with `width` bits.
    """

    width: int
    symbols: np.ndarray
    n_kept: int
    coder: str | None

    @classmethod
    def of(cls, mask: Tensor, width: int | None, coder: str | None) -> IndexStream:
        """Write a mask; without a `width` the one that takes least after coding."""
        gaps = gaps_of(mask.cpu().numpy().reshape(-1))
        if width is None:
            gap_counts = np.bincount(gaps)
            width = min(
                WIDTHS, key=lambda bits: coded_bits(count_symbols(gap_counts, bits), coder or "ans")
            )
        return cls(width, index_symbols(gaps, width), gaps.size, coder)

    @property
    def n_fillers(self) -> int:
        """Symbols that stand for zeros alone."""
        return self.symbols.size - self.n_kept

    @cached_property
    def coded(self) -> SymbolStream | None:
        """The symbols entropy coded; None where they are not, or that takes no less."""
        if self.coder is None:
            return None
        counts = np.bincount(self.symbols, minlength=1 << self.width)
        stream = SymbolStream(self.symbols, counts, self.coder)
        return stream if stream.pays(self.symbols.size * self.width) else None

    @property
    def layout(self) -> dict[str, Any]:
        """Width, fillers, and how they are coded."""
        layout: dict[str, Any] = {"bits": self.width, "fillers": self.n_fillers}
        return layout | (self.coded.layout if self.coded else {})

    @property
    def field_bits(self) -> tuple[int, ...]:
        """Bits of the table where there is one, and of the symbols."""
        if self.coded:
            return self.coded.table_bits, 8 * self.coded.n_bytes
        return (self.symbols.size * self.width,)


@dataclass(frozen=True, eq=False)
class Stored(Record):
    """A record whose positions, or codes, are written in another way.

    Attributes
    ----------
    inner : Record
        What is written.
    index_bits : int or None
        Width of relative indices; None takes, for entropy coding, the one that takes least.
    coder : str or None
        Entropy coder of positions and codes; None for fixed widths.
    """

    inner: Record
    index_bits: int | None
    coder: str | None

    @classmethod
    def of(cls, record: Record, index_bits: int | None = None, coder: str | None = None) -> Record:
        """Wrap a record; one with neither positions nor codes is returned as it is."""
        sparse = record.mask is not None and 0 < _n_kept(record) < record.n_weights
        if not sparse and (coder is None or record.symbols is None):
            return record
        return cls(record, index_bits, coder)

    @property
    def shape(self) -> torch.Size:
        """Shape of the restored tensor."""
        return self.inner.shape

    @property
    def dtype(self) -> torch.dtype:
        """Type of the restored tensor."""
        return self.inner.dtype

    @property
    def mask(self) -> Tensor | None:
        """Bool, True where kept; None where nothing was pruned."""
        return self.inner.mask

    @cached_property
    def index(self) -> IndexStream | None:
        """The positions; None where they are written as their counts say.

        That is without a chosen width also where relative indices would take no less.
        """
        mask = self.inner.mask
        if mask is None or _n_kept(self.inner) in (0, self.n_weights):
            return None
        if self.index_bits is None and self.coder is None:
            return None
        index = IndexStream.of(mask, self.index_bits, self.coder)
        plain = support_code(self.n_weights, index.n_kept).size_bits
        pays = self.index_bits is not None or sum(index.field_bits) < plain
        return index if pays else None

    @cached_property
    def codes(self) -> SymbolStream | None:
        """The codes; None where they have a fixed width, or the record has none."""
        if self.coder is None or self.inner.symbols is None or not self.inner.symbols.numel():
            return None
        symbols = self.inner.symbols.cpu().numpy().reshape(-1)
        counts = np.bincount(symbols, minlength=self.inner.alphabet)
        stream = SymbolStream(symbols, counts, self.coder)
        return stream if stream.pays(sum(self.inner.split_fields()[1])) else None

    @property
    def field_bits(self) -> tuple[int, ...]:
        """Positions and codes as they are written here, then the inner record's other fields."""
        index = self.index.field_bits if self.index else ()
        positions, codes, rest = self.inner.split_fields()
        if self.index is None:
            index = positions
        if self.codes:
            codes = (self.codes.table_bits, 8 * self.codes.n_bytes)
        return (*index, *codes, *rest)

    def split_fields(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Return the inner record's."""
        return self.inner.split_fields()

    @property
    def layout(self) -> dict[str, Any]:
        """The inner layout, and how positions and codes are written."""
        layout: dict[str, Any] = {"kind": "stored", "record": self.inner.layout}
        if self.index:
            layout["index"] = self.index.layout
        if self.codes:
            layout["codes"] = self.codes.layout
        return layout

    @property
    def bound_bits(self) -> float:
        """Entropy of the positions and codes: no static model codes them with fewer bits."""
        total = 0.0
        if self.index:
            total += entropy_bits(np.bincount(self.index.symbols))
        if self.inner.symbols is not None:
            total += entropy_bits(np.bincount(self.inner.symbols.cpu().numpy().reshape(-1)))
        return total

    def restore(self) -> Tensor:
        """Return the dense tensor that the inner record stands for."""
        return self.inner.restore()

    def then(self, setting: Setting) -> Record:
        """Apply a step to the inner record, and write its outcome in the same way."""
        if isinstance(setting, StorageSetting):
            return setting.follow(self)
        return self._rewritten(self.inner.then(setting))

    def restricted(self, mask: Tensor) -> Record:
        """Return the same record at fewer positions."""
        return self._rewritten(self.inner.restricted(mask))

    def stored(self, **how: Any) -> Record:
        """Change some of how the record is written."""
        return replace(self, **how)

    def _rewritten(self, record: Record) -> Record:
        return record.stored(index_bits=self.index_bits, coder=self.coder)


def _n_kept(record: Record) -> int:
    return record.n_weights if record.mask is None else int(record.mask.sum())


class StorageSetting(Setting):
    """A step that changes how a record is written, not what it restores to."""

    @abstractmethod
    def storage(self) -> Mapping[str, Any]:
        """Return the fields of `Stored` that the step sets."""

    def follow(self, record: Record) -> Record:
        """Write a record in another way."""
        return record.stored(**self.storage())

    def encode(self, values: Tensor, mask: Tensor | None) -> Record:
        """Write dense `values`, or those that `mask` keeps, in another way."""
        from explorer.compress.prune import Pruned
        from explorer.compress.record import Dense

        return self.follow(Dense(values) if mask is None else Pruned.of(values, mask))
