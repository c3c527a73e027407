"""Which weights are kept, and what it costs to say so.

Kept positions are written in the cheapest of three forms, chosen by the counts
alone, so that the exact size is known without looking at the positions:

- a bitmap, one bit a weight;
- the Elias-Fano code of the kept positions;
- the Elias-Fano code of the zeroed positions.

Elias-Fano writes the l low bits of every position plainly and the high bits as a
unary-coded, hence self-delimiting, sequence: ``m l + m + ((n - 1) >> l) + 1`` bits for m
positions below n, within about half a bit a position of the information bound.

References
----------
Elias. "Efficient storage and retrieval by content and address of static files".
Journal of the ACM, 1974.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal


@dataclass(frozen=True)
class SupportCode:
    """How the kept positions are written.

    Attributes
    ----------
    form : str
        ``"none"`` (all kept or all zero), ``"bitmap"``, ``"kept"`` or ``"zeros"``
        (Elias-Fano of those positions).
    low_bits : int
        Low bits written plainly by Elias-Fano; 0 for the other forms.
    size_bits : int
        Exact size.
    """

    form: Literal["none", "bitmap", "kept", "zeros"]
    low_bits: int
    size_bits: int


@lru_cache(maxsize=1024)
def support_code(n_weights: int, n_kept: int) -> SupportCode:
    """Choose the cheapest form for `n_kept` positions among `n_weights`.

    Parameters
    ----------
    n_weights, n_kept : int
        ``0 <= n_kept <= n_weights``.

    Returns
    -------
    SupportCode
    """
    if n_kept in (0, n_weights):
        return SupportCode("none", 0, 0)
    kept = SupportCode("kept", *_elias_fano(n_weights, n_kept))
    zeros = SupportCode("zeros", *_elias_fano(n_weights, n_weights - n_kept))
    bitmap = SupportCode("bitmap", 0, n_weights)
    return min(bitmap, kept, zeros, key=lambda code: code.size_bits)


def _elias_fano(n_weights: int, count: int) -> tuple[int, int]:
    guess = max(0, (n_weights // count).bit_length() - 1)
    sizes = {
        low: count * low + count + ((n_weights - 1) >> low) + 1
        for low in range(max(0, guess - 1), guess + 2)
    }
    best = min(sizes, key=lambda low: (sizes[low], low))
    return best, sizes[best]
