"""Records that are kept positions, codes, and what gives the codes a meaning."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from explorer.compress.coding.bits import (
    Field,
    Reader,
    index_bits,
    pack,
    tensor_bytes,
    tensor_from,
    unpack,
)
from explorer.compress.coding.positions import all_kept, read_mask, support_code, write_mask
from explorer.compress.records.record import Record, Step, gather, scatter
from explorer.compress.records.spec import Layout, TensorSpec

MAX_ALPHABET = 1 << 15


class Parts(NamedTuple):
    """Fields of a section by what they hold; the first two parts may be empty."""

    positions: tuple[Field, ...]
    codes: tuple[Field, ...]
    rest: tuple[Field, ...]


class CodedRecord(Record):
    """A record whose kept positions and codes can be written in other ways than plainly.

    A layout with ``"kept"`` in it begins with the positions of the kept weights; a record
    with `symbols` goes on with them, each with the bits that tell `alphabet` values apart.
    One more field follows, which the kind itself writes and reads.
    """

    @classmethod
    @abstractmethod
    def side_info_in(cls, spec: TensorSpec) -> Field:
        """Return the field after positions and codes; raises as `Record.fields_in`."""

    @abstractmethod
    def write_side_info(self) -> bytes:
        """Return the field after positions and codes."""

    @classmethod
    @abstractmethod
    def from_parts(
        cls, spec: TensorSpec, mask: Tensor | None, codes: Tensor | None, reader: Reader
    ) -> CodedRecord:
        """Make a record of its positions and codes, and of the field that `reader` gives.

        Parameters
        ----------
        spec : TensorSpec
        mask : Tensor or None
            Bool, True where kept; None where all weights are.
        codes : Tensor or None, shape (n_symbols,), uint8 or int16
            All below `alphabet_in`; None for a kind that has none.
        reader : callable
            As for `Record.read`.
        """

    @classmethod
    def alphabet_in(cls, _promise: TensorSpec) -> int | None:
        """Return how many values a code can take, at most 32,768; None for no codes."""
        return None

    @classmethod
    def n_symbols_in(cls, spec: TensorSpec) -> int:
        """Return the number of codes; by default one for each kept weight."""
        return spec.count("kept", spec.n_weights)

    @property
    def symbols(self) -> Tensor | None:
        """Small integers that an entropy coder may write, any shape; None if there are none."""
        return None

    @property
    def alphabet(self) -> int:
        """Number of values that `symbols` can take."""
        return self.alphabet_in(self.spec) or 0

    @property
    def code_bits(self) -> int:
        """Bits of one code."""
        return index_bits(self.alphabet)

    @property
    def parts(self) -> Parts:
        """The fields, by what they hold."""
        return self.parts_in(self.spec)

    @classmethod
    def parts_in(cls, spec: TensorSpec) -> Parts:
        """Return the fields, by what they hold; raises as `Record.fields_in`."""
        rest = cls.side_info_in(spec)
        positions: tuple[Field, ...] = ()
        codes: tuple[Field, ...] = ()
        if "kept" in spec.layout:
            kept = spec.count("kept", spec.n_weights)
            positions = (Field("indices", support_code(spec.n_weights, kept).size_bits),)
        alphabet = cls.alphabet_in(spec)
        if alphabet is not None:
            if not 0 <= alphabet <= MAX_ALPHABET:
                raise ValueError(f"header: codes of {alphabet} values; at most {MAX_ALPHABET}")
            codes = (Field("values", cls.n_symbols_in(spec) * index_bits(alphabet)),)
        return Parts(positions, codes, (rest,))

    @classmethod
    def fields_in(cls, spec: TensorSpec) -> tuple[Field, ...]:
        """Return positions, codes and the field that follows."""
        positions, codes, rest = cls.parts_in(spec)
        return (*positions, *codes, *rest)

    def write(self) -> Iterator[bytes]:
        """Yield positions, codes and the field that follows."""
        yield from self.write_positions()
        yield from self.write_codes()
        yield self.write_side_info()

    def write_positions(self) -> Iterator[bytes]:
        """Yield the positions of kept weights, if the file says them."""
        if "kept" in self.layout:
            yield write_mask(self.mask)

    def write_codes(self) -> Iterator[bytes]:
        """Yield the codes at a fixed width, if there are any."""
        if self.symbols is not None:
            yield pack(self.symbols.cpu().numpy().reshape(-1), self.code_bits)

    @classmethod
    def read(cls, spec: TensorSpec, reader: Reader) -> CodedRecord:
        """Read positions, codes and the field that follows."""
        mask = cls.read_positions(spec, reader)
        return cls.from_sections(spec, mask, cls.read_codes(spec, reader), reader)

    @classmethod
    def read_positions(cls, spec: TensorSpec, reader: Reader) -> Tensor | None:
        """Read the mask; None where all weights are kept, or the file says none."""
        positions = cls.parts_in(spec).positions
        if not positions:
            return None
        return read_mask(reader(positions[0].n_bytes), spec.shape, spec.layout["kept"])

    @classmethod
    def read_codes(cls, spec: TensorSpec, reader: Reader) -> np.ndarray | None:
        """Read codes of a fixed width; None where there are none."""
        codes = cls.parts_in(spec).codes
        if not codes:
            return None
        width = index_bits(cls.alphabet_in(spec) or 0)
        return unpack(reader(codes[0].n_bytes), cls.n_symbols_in(spec), width)

    @classmethod
    def from_sections(
        cls, spec: TensorSpec, mask: Tensor | None, symbols: np.ndarray | None, reader: Reader
    ) -> CodedRecord:
        """Make a record of its positions and codes, and of what follows.

        Raises
        ------
        ValueError
            If a code is none of the alphabet.
        """
        if symbols is None:
            return cls.from_parts(spec, mask, None, reader)
        alphabet = cls.alphabet_in(spec) or 0
        if symbols.size and int(symbols.max()) >= alphabet:
            raise ValueError("an index points beyond its codebook")
        codes = torch.from_numpy(symbols.astype(np.uint8 if alphabet <= 256 else np.int16))
        return cls.from_parts(spec, mask, codes, reader)


@dataclass(frozen=True, eq=False)
class Sparse(CodedRecord):
    """A sparse tensor: kept positions and their values.

    Attributes
    ----------
    kept : Tensor, bool, shape of the tensor
        True where kept; `mask` is another name for it.
    values : Tensor, shape (n_kept,)
        Kept values, in row-major order.
    """

    kind = "pruned"

    kept: Tensor
    values: Tensor

    @classmethod
    def of(cls, values: Tensor, mask: Tensor) -> Sparse:
        """Keep the entries of `values` where `mask` is True."""
        return cls(mask, gather(values, mask))

    @property
    def mask(self) -> Tensor:
        """Bool, True where kept."""
        return self.kept

    @property
    def shape(self) -> torch.Size:
        """Shape of the restored tensor."""
        return self.kept.shape

    @property
    def dtype(self) -> torch.dtype:
        """Type of the values."""
        return self.values.dtype

    @property
    def layout(self) -> Layout:
        """Kind and kept weights."""
        return Layout.of(Sparse, kept=self.values.numel())

    @classmethod
    def side_info_in(cls, spec: TensorSpec) -> Field:
        """Return the field of the values."""
        return Field("values", spec.count("kept", spec.n_weights) * spec.value_bits)

    def write_side_info(self) -> bytes:
        """Return the raw values."""
        return tensor_bytes(self.values)

    @classmethod
    def from_parts(
        cls, spec: TensorSpec, mask: Tensor | None, codes: Tensor | None, reader: Reader
    ) -> Sparse:
        """Make a record of its positions, and of the values that follow."""
        kept = spec.layout["kept"]
        data = reader(kept * spec.dtype.itemsize)
        values = tensor_from(data, torch.Size([kept]), spec.dtype)
        return cls(all_kept(spec.shape) if mask is None else mask, values)

    def restore(self) -> Tensor:
        """Return the dense tensor, zero where pruned."""
        return scatter(self.values, self.kept, self.kept.shape)


@dataclass(frozen=True, eq=False)
class ScalarCoded(CodedRecord):
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
    def table_bits_in(cls, spec: TensorSpec) -> int:
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
    def side_info_in(cls, spec: TensorSpec) -> Field:
        """Return the table's field."""
        table_bits = cls.table_bits_in(spec)
        spec.count("kept", spec.n_weights)
        return Field("codebooks", table_bits)

    def restore(self) -> Tensor:
        """Return the dense tensor: decoded values where kept, zero elsewhere."""
        return scatter(self.decode(), self.positions, self.full_shape)

    def then(self, step: Step) -> Record:
        """Prune the codes themselves; let any other step start from the restored weights."""
        record = super().then(step)
        return self.restricted(record.kept) if isinstance(record, Sparse) else record

    def restricted(self, mask: Tensor) -> Record:
        """Return the same codes at fewer positions."""
        inside = mask.flatten() if self.positions is None else mask[self.positions]
        return replace(self, codes=self.codes[inside], positions=mask)
