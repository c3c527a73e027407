"""Counts that a header's layout gives, checked."""

from __future__ import annotations

from typing import Any

from explorer.codec.errors import DamagedFile

Layout = dict[str, Any]


def count_in(layout: Layout, name: str, high: int, low: int = 0) -> int:
    """Return a count from a header, checked to be an integer in [low, high]."""
    value = layout.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise DamagedFile(f"header: {name} must be from {low} to {high}; got {value!r:.40}")
    return value


def channels_in(layout: Layout, name: str, shape: tuple[int, ...], low: int = 0) -> int:
    """Return a count from a header, checked to be `low`, 1 or the number of channels."""
    value = count_in(layout, name, max([1, *shape[:1]]), low)
    if value not in (low, 1, *shape[:1]):
        raise DamagedFile(f"header: {name} must be 1 or one a channel ({shape[0]}); got {value}")
    return value
