"""Fields of a tensor's section in a file: their exact sizes, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

ROLES = ("values", "indices", "fillers", "codebooks", "tables")
Reader = Callable[[int], bytes]


class Field(NamedTuple):
    """One field of a section, padded to a whole byte in the file.

    Attributes
    ----------
    role : str
        One of `ROLES`.
    bits : int
        Exact size.
    fillers : int
        The part of `bits` that carries zeros too far apart for one relative index. For
        entropy-coded indices, their share by number.
    """

    role: str
    bits: int
    fillers: int = 0

    @property
    def n_bytes(self) -> int:
        """Bytes in the file."""
        return -(-self.bits // 8)


def count_in(layout: Mapping[str, Any], name: str, high: int, low: int = 0) -> int:
    """Return a count of a layout, checked to be an integer in [low, high], or ValueError."""
    value = layout.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"header: {name} must be from {low} to {high}; got {value!r:.40}")
    return value
