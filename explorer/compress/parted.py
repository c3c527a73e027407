"""Records of three parts: which weights are kept, codes, and what gives the codes a meaning."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from explorer.compress.bits import index_bits, pack, unpack
from explorer.compress.positions import read_mask, write_mask
from explorer.compress.promise import Field, Promise, Take
from explorer.compress.record import Record
from explorer.compress.support import support_code

MAX_ALPHABET = 1 << 15


class Parts(NamedTuple):
    """Fields of a section by what they hold; the first two parts may be empty."""

    positions: tuple[Field, ...]
    codes: tuple[Field, ...]
    rest: tuple[Field, ...]


class Parted(Record):
    """A record whose kept positions and codes can be written in other ways than plainly.

    A layout with ``"kept"`` in it begins with the positions of the kept weights; a record
    with `symbols` goes on with them, each with the bits that tell `alphabet` values apart.
    One more field follows, which the kind itself writes and reads.
    """

    @classmethod
    @abstractmethod
    def rest_in(cls, promise: Promise) -> Field:
        """Return the field after positions and codes; raises as `Record.fields_in`."""

    @abstractmethod
    def write_rest(self) -> bytes:
        """Return the field after positions and codes."""

    @classmethod
    @abstractmethod
    def assembled(
        cls, promise: Promise, mask: Tensor | None, codes: Tensor | None, take: Take
    ) -> Parted:
        """Make a record of its positions and codes, and of the field that `take` gives.

        Parameters
        ----------
        promise : Promise
        mask : Tensor or None
            Bool, True where kept; None where all weights are.
        codes : Tensor or None, shape (n_symbols,), uint8 or int16
            All below `alphabet_in`; None for a kind that has none.
        take : callable
            As for `Record.read`.
        """

    @classmethod
    def alphabet_in(cls, _promise: Promise) -> int | None:
        """Return how many values a code can take, at most 32,768; None for no codes."""
        return None

    @classmethod
    def n_symbols_in(cls, promise: Promise) -> int:
        """Return the number of codes; by default one for each kept weight."""
        return promise.count("kept", promise.n_weights)

    @property
    def symbols(self) -> Tensor | None:
        """Small integers that an entropy coder may write, any shape; None if there are none."""
        return None

    @property
    def alphabet(self) -> int:
        """Number of values that `symbols` can take."""
        return self.alphabet_in(self.promise) or 0

    @property
    def code_bits(self) -> int:
        """Bits of one code."""
        return index_bits(self.alphabet)

    @property
    def parts(self) -> Parts:
        """The fields, by what they hold."""
        return self.parts_in(self.promise)

    @classmethod
    def parts_in(cls, promise: Promise) -> Parts:
        """Return the fields, by what they hold; raises as `Record.fields_in`."""
        rest = cls.rest_in(promise)
        positions: tuple[Field, ...] = ()
        codes: tuple[Field, ...] = ()
        if "kept" in promise.layout:
            kept = promise.count("kept", promise.n_weights)
            positions = (Field("indices", support_code(promise.n_weights, kept).size_bits),)
        alphabet = cls.alphabet_in(promise)
        if alphabet is not None:
            if not 0 <= alphabet <= MAX_ALPHABET:
                raise ValueError(f"header: codes of {alphabet} values; at most {MAX_ALPHABET}")
            codes = (Field("values", cls.n_symbols_in(promise) * index_bits(alphabet)),)
        return Parts(positions, codes, (rest,))

    @classmethod
    def fields_in(cls, promise: Promise) -> tuple[Field, ...]:
        """Return positions, codes and the field that follows."""
        positions, codes, rest = cls.parts_in(promise)
        return (*positions, *codes, *rest)

    def write(self) -> Iterator[bytes]:
        """Yield positions, codes and the field that follows."""
        yield from self.write_positions()
        yield from self.write_codes()
        yield self.write_rest()

    def write_positions(self) -> Iterator[bytes]:
        """Yield the positions of kept weights, if the file says them."""
        if "kept" in self.layout:
            yield write_mask(self.mask)

    def write_codes(self) -> Iterator[bytes]:
        """Yield the codes at a fixed width, if there are any."""
        if self.symbols is not None:
            yield pack(self.symbols.cpu().numpy().reshape(-1), self.code_bits)

    @classmethod
    def read(cls, promise: Promise, take: Take) -> Parted:
        """Read positions, codes and the field that follows."""
        mask = cls.read_positions(promise, take)
        return cls.of_parts(promise, mask, cls.read_codes(promise, take), take)

    @classmethod
    def read_positions(cls, promise: Promise, take: Take) -> Tensor | None:
        """Read the mask; None where all weights are kept, or the file says none."""
        positions = cls.parts_in(promise).positions
        if not positions:
            return None
        return read_mask(take(positions[0].n_bytes), promise.shape, promise.layout["kept"])

    @classmethod
    def read_codes(cls, promise: Promise, take: Take) -> np.ndarray | None:
        """Read codes of a fixed width; None where there are none."""
        codes = cls.parts_in(promise).codes
        if not codes:
            return None
        width = index_bits(cls.alphabet_in(promise) or 0)
        return unpack(take(codes[0].n_bytes), cls.n_symbols_in(promise), width)

    @classmethod
    def of_parts(
        cls, promise: Promise, mask: Tensor | None, symbols: np.ndarray | None, take: Take
    ) -> Parted:
        """Make a record of its positions and codes, and of what follows.

        Raises
        ------
        ValueError
            If a code is none of the alphabet.
        """
        if symbols is None:
            return cls.assembled(promise, mask, None, take)
        alphabet = cls.alphabet_in(promise) or 0
        if symbols.size and int(symbols.max()) >= alphabet:
            raise ValueError("an index points beyond its codebook")
        codes = torch.from_numpy(symbols.astype(np.uint8 if alphabet <= 256 else np.int16))
        return cls.assembled(promise, mask, codes, take)

    def stored(self, **how: Any) -> Record:
        """Return the same record written in another way: ``index_bits``, ``coder``."""
        from explorer.compress.stored import Stored

        return Stored.of(self, **how)
