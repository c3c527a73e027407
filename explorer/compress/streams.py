"""Symbols on their way into the file: entropy-coded streams, and positions as relative indices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from torch import Tensor

from explorer.compress.gaps import count_symbols, gaps_of, index_symbols
from explorer.compress.symbols import SymbolModel, coded_bits, table_bytes

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
