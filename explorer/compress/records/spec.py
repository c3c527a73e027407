"""What a file's header promises of a tensor: the sizes of its fields, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import torch

from explorer.compress.coding.bits import Field, Reader, count_in

MAX_DEPTH = 40


class RecordKind(Protocol):
    """A class of records, as far as a description of a tensor needs it."""

    @property
    def kind(self) -> str:
        """Name in a file's header."""

    def fields_in(self, spec: TensorSpec) -> tuple[Field, ...]:
        """Return the fields of a record's section."""

    def numbers_in(self, spec: TensorSpec) -> int:
        """Count the numbers that reading a record makes room for."""

    def read(self, spec: TensorSpec, reader: Reader) -> Any:
        """Read a record back from its fields."""


Kinds = Callable[[Any], RecordKind]


class Layout(dict[str, Any]):
    """What a file's header says of a record: its kind and its counts, ready for JSON.

    `home`: the class that it is of; a layout that comes from a file has none yet.
    """

    home: RecordKind | None = None

    @classmethod
    def of(cls, home: RecordKind, **counts: Any) -> Layout:
        """Make the layout of a record of the class `home`."""
        layout = cls(kind=home.kind, **counts)
        layout.home = home
        return layout


@dataclass(frozen=True)
class TensorSpec:
    """A tensor as a header describes it, not to be trusted before `fields` was asked for.

    Attributes
    ----------
    layout : dict
        As `Record.layout`, or what a file has in its place.
    shape, dtype : torch.Size, torch.dtype
        Of the restored tensor.
    kinds : callable or None
        Takes the name of a stored kind to its class, for layouts that come from a file; raises
        ValueError where there is none.
    depth : int
        How many layouts this one lies in.

    Raises
    ------
    ValueError
        If the layout is none, or lies too deep.
    """

    layout: Mapping[str, Any]
    shape: torch.Size
    dtype: torch.dtype
    kinds: Kinds | None = None
    depth: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.layout, dict) or self.depth > MAX_DEPTH:
            raise ValueError(f"header: not a layout: {self.layout!r:.40}")

    @cached_property
    def kind(self) -> RecordKind:
        """The class of the record."""
        home = self.layout.home if isinstance(self.layout, Layout) else None
        if home is None and self.kinds is None:
            raise ValueError(
                f"layout: no record's own, and no kinds are given: {self.layout!r:.40}"
            )
        return home or self.kinds(self.layout.get("kind"))  # type: ignore[misc]

    @property
    def n_weights(self) -> int:
        """Entries of the tensor."""
        return self.shape.numel()

    @property
    def value_bits(self) -> int:
        """Bits of one number of the tensor's type."""
        return 8 * self.dtype.itemsize

    def count(self, name: str, high: int, low: int = 0) -> int:
        """Return a count of the layout, checked to be an integer in [low, high].

        Raises
        ------
        ValueError
            If it is something else, or missing.
        """
        return count_in(self.layout, name, high, low)

    def channels(self, name: str, low: int = 0) -> int:
        """Return a count of the layout, checked to be `low`, 1 or the number of channels."""
        n_channels = self.shape[0] if self.shape else 1
        value = self.count(name, max(1, n_channels), low)
        if value not in (low, 1, n_channels):
            raise ValueError(
                f"header: {name} must be 1 or one a channel ({n_channels}); got {value}"
            )
        return value

    def part(self, layout: Any, shape: torch.Size, dtype: torch.dtype | None = None) -> TensorSpec:
        """Return what is promised of a tensor that this one is made of."""
        return replace(
            self, layout=layout, shape=shape, dtype=dtype or self.dtype, depth=self.depth + 1
        )

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Each field of the tensor's section; raises ValueError if the layout makes no sense."""
        return self.kind.fields_in(self)

    @property
    def field_bits(self) -> tuple[int, ...]:
        """Exact bits of each of `fields`."""
        return tuple(field.bits for field in self.fields)

    @property
    def n_numbers(self) -> int:
        """Numbers to make room for, once `fields` has found the layout sound."""
        return self.kind.numbers_in(self)

    def read(self, reader: Reader) -> Any:
        """Read the record back.

        Parameters
        ----------
        reader : callable
            Returns the next so many bytes.

        Raises
        ------
        ValueError
            If the fields contradict each other.
        """
        return self.kind.read(self, reader)
