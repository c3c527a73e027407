"""Symbols on their way into the file: entropy-coded streams, and positions as relative indices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.compress.coding.bits import Field, Reader, count_in, pack, unpack
from explorer.compress.coding.entropy import (
    CODERS,
    FREQUENCY_BITS,
    LENGTH_BITS,
    SymbolModel,
    coded_bits,
    table_bytes,
)
from explorer.compress.coding.relative_index import (
    MAX_INDEX_BITS,
    count_symbols,
    gaps_of,
    index_symbols,
    positions_of,
)

WIDTHS = range(1, 9)
ENTRY_BITS = {"huffman": LENGTH_BITS, "ans": FREQUENCY_BITS}


@dataclass(frozen=True, eq=False)
class SymbolStream:
    """Small integers on their way into the file.

    `symbols`: shape (n,). `counts`: shape (alphabet,), int64; how often each symbol comes. `coder`:
    one of "huffman", "ans".
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

    @staticmethod
    def fields_in(layout: Any, role: str, n_values: int, n_symbols: int) -> tuple[Field, Field]:
        """Return the fields of the table and of the symbols that a layout promises.

        Raises ValueError if the layout makes no sense.
        """
        if not isinstance(layout, dict) or layout.get("coder") not in CODERS:
            raise ValueError(f"header: unknown entropy coder in {layout!r:.60}")
        n_bytes = count_in(layout, "bytes", 4 * n_symbols + 8)
        table = Field("tables", 8 * table_bytes(layout["coder"], n_values))
        return table, Field(role, 8 * n_bytes)

    def write(self) -> Iterator[bytes]:
        """Yield the table and the coded symbols."""
        yield pack(self.model.entries, ENTRY_BITS[self.coder])
        yield self.payload

    @staticmethod
    def read(layout: dict[str, Any], n_values: int, n_symbols: int, reader: Reader) -> np.ndarray:
        """Read the symbols back; raises ValueError where table and symbols make no sense."""
        coder = layout["coder"]
        table = unpack(reader(table_bytes(coder, n_values)), n_values, ENTRY_BITS[coder])
        return SymbolModel(coder, table).decode(reader(layout["bytes"]), n_symbols)


@dataclass(frozen=True, eq=False)
class IndexStream:
    """Kept positions as relative indices.

    `width`: bits of an index. `symbols`: shape (n_kept + n_fillers,), int32. `coder`: none writes
    every symbol with `width` bits.
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

    @staticmethod
    def fields_in(layout: Any, n_kept: int, n_weights: int) -> tuple[Field, ...]:
        """Return the fields that a layout promises; raises as `SymbolStream.fields_in`."""
        if not isinstance(layout, dict):
            raise ValueError(f"header: not an index: {layout!r:.40}")
        width = count_in(layout, "bits", MAX_INDEX_BITS, low=1)
        fillers = count_in(layout, "fillers", (n_weights - n_kept) // ((1 << width) - 1))
        n_symbols = n_kept + fillers
        if "coder" not in layout:
            return (Field("indices", n_symbols * width, fillers * width),)
        table, coded = SymbolStream.fields_in(layout, "indices", 1 << width, n_symbols)
        return table, coded._replace(fillers=coded.bits * fillers // max(1, n_symbols))

    def write(self) -> Iterator[bytes]:
        """Yield the table where there is one, and the symbols."""
        if self.coded:
            yield from self.coded.write()
        else:
            yield pack(self.symbols, self.width)

    @staticmethod
    def read(layout: dict[str, Any], shape: torch.Size, n_kept: int, reader: Reader) -> Tensor:
        """Read the mask back; raises ValueError where the positions make no sense."""
        width, n_symbols = layout["bits"], n_kept + layout["fillers"]
        if "coder" in layout:
            symbols = SymbolStream.read(layout, 1 << width, n_symbols, reader)
        else:
            symbols = unpack(reader(-(-n_symbols * width // 8)), n_symbols, width)
        positions = positions_of(symbols.astype(np.int32, copy=False), width)
        if positions.size != n_kept or (n_kept and positions[-1] >= shape.numel()):
            raise ValueError("kept positions are out of range or do not agree with their number")
        mask = np.zeros(shape.numel(), bool)
        mask[positions] = True
        return torch.from_numpy(mask).reshape(shape)
