"""In which order points are measured, so that curves fill in all over from the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def coarse_to_fine(values: Sequence[T]) -> list[T]:
    """Return the last value, the first, then middles of what lies between, ever finer.

    Parameters
    ----------
    values : sequence

    Examples
    --------
    >>> coarse_to_fine([0, 1, 2, 3, 4])
    [4, 0, 2, 1, 3]
    """
    if len(values) < 2:
        return list(values)
    found = [values[-1], values[0]]
    gaps = [(0, len(values) - 1)]
    while gaps:
        low, high = gaps.pop(0)
        middle = (low + high) // 2
        if middle > low:
            found.append(values[middle])
            gaps += [(low, middle), (middle, high)]
    return found
