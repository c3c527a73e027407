"""How a record's positions and codes are written: relative indices, entropy coding.

These steps change bytes, never weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from explorer.compress.coding.bits import Field, Reader, index_bits
from explorer.compress.coding.positions import support_code
from explorer.compress.coding.streams import IndexStream, SymbolStream
from explorer.compress.records.coded import CodedRecord
from explorer.compress.records.record import Record, Step
from explorer.compress.records.spec import Layout, TensorSpec


@dataclass(frozen=True, eq=False)
class Stored(Record):
    """A record whose positions, or codes, are written in another way.

    `inner`: what is written. `index_bits`: width of relative indices; None takes, for entropy
    coding, the one that takes least. `coder`: entropy coder of positions and codes; None for fixed
    widths.
    """

    kind = "stored"

    inner: CodedRecord
    index_bits: int | None
    coder: str | None

    @classmethod
    def of(
        cls, record: CodedRecord, index_bits: int | None = None, coder: str | None = None
    ) -> Record:
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
        plain = self.inner.parts.codes
        return stream if stream.pays(sum(field.bits for field in plain)) else None

    @property
    def layout(self) -> Layout:
        """The inner layout, and how positions and codes are written."""
        index = {"index": self.index.layout} if self.index else {}
        codes = {"codes": self.codes.layout} if self.codes else {}
        return Layout.of(Stored, record=self.inner.layout, **index, **codes)

    @classmethod
    def fields_in(cls, spec: TensorSpec) -> tuple[Field, ...]:
        """Return positions and codes as they are written here, then the inner record's rest."""
        inner, kind = _inner(spec)
        positions, codes, rest = kind.parts_in(inner)
        if "index" in spec.layout:
            n_kept = inner.count("kept", inner.n_weights)
            positions = IndexStream.fields_in(spec.layout["index"], n_kept, inner.n_weights)
        if "codes" in spec.layout:
            if not codes:
                raise ValueError("header: codes of a tensor that has none")
            alphabet = kind.alphabet_in(inner) or 0
            n_symbols = codes[0].bits // max(1, index_bits(alphabet))
            coded = spec.layout["codes"]
            codes = SymbolStream.fields_in(coded, "values", alphabet, n_symbols)
        return (*positions, *codes, *rest)

    @classmethod
    def numbers_in(cls, spec: TensorSpec) -> int:
        """Count what the inner record does."""
        return _inner(spec).spec.n_numbers

    def write(self) -> Iterator[bytes]:
        """Yield positions and codes as they are written here, then the inner record's rest."""
        yield from self.index.write() if self.index else self.inner.write_positions()
        yield from self.codes.write() if self.codes else self.inner.write_codes()
        yield self.inner.write_side_info()

    @classmethod
    def read(cls, spec: TensorSpec, reader: Reader) -> Stored:
        """Read positions and codes, then the inner record's rest."""
        inner, kind = _inner(spec)
        index, coded = spec.layout.get("index"), spec.layout.get("codes")
        if index is None:
            mask = kind.read_positions(inner, reader)
        else:
            mask = IndexStream.read(index, inner.shape, inner.layout["kept"], reader)
        if coded is None:
            symbols = kind.read_codes(inner, reader)
        else:
            alphabet, n_symbols = kind.alphabet_in(inner) or 0, kind.n_symbols_in(inner)
            symbols = SymbolStream.read(coded, alphabet, n_symbols, reader)
        record = kind.from_sections(inner, mask, symbols, reader)
        coder = (coded or index or {}).get("coder")
        return cls(record, index["bits"] if index else None, coder)

    def restore(self) -> Tensor:
        """Return the dense tensor that the inner record stands for."""
        return self.inner.restore()

    def then(self, step: Step) -> Record:
        """Apply a step to the inner record, and write its outcome in the same way."""
        if step.role == "writes":
            return step.follow(self)
        changed = self.inner.then(step)
        return written(changed, index_bits=self.index_bits, coder=self.coder)


def written(record: Record, **how: Any) -> Record:
    """Return a record written in another way: ``index_bits``, ``coder``."""
    if isinstance(record, Stored):
        return replace(record, **how)
    if isinstance(record, CodedRecord):
        return Stored.of(record, **how)
    return record.with_parts(lambda part: written(part, **how))


class _Inner(NamedTuple):
    """What is promised of the inner record, and its class."""

    spec: TensorSpec
    kind: type[CodedRecord]


def _inner(spec: TensorSpec) -> _Inner:
    """Return what is promised of the inner record; raises ValueError where it is none."""
    layout = spec.layout.get("record")
    if isinstance(layout, dict):
        inner = spec.part(layout, spec.shape)
        kind = inner.kind
        if isinstance(kind, type) and issubclass(kind, CodedRecord):
            return _Inner(inner, kind)
    raise ValueError("header: nothing there that could be stored in another way")


def _n_kept(record: Record) -> int:
    return record.n_weights if record.mask is None else int(record.mask.sum())
