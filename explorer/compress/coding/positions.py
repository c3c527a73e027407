"""Positions of kept weights: a bitmap or Elias-Fano, the smaller; exact sizes and bytes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from explorer.compress.coding.bits import pack, unpack


def write_positions(mask: np.ndarray, n_kept: int) -> bytes:
    """Write which of the weights are kept.

    `mask`: shape (n,), bool. `n_kept`: number of True entries. Returns: of ``ceil(support_code(n,
    n_kept).size_bits / 8)`` bytes.
    """
    code = support_code(mask.size, n_kept)
    if code.form == "none":
        return b""
    if code.form == "bitmap":
        return np.packbits(mask).tobytes()
    positions = np.flatnonzero(mask if code.form == "kept" else ~mask)
    return np.packbits(_elias_fano(positions, mask.size, code)).tobytes()


def read_positions(data: bytes, n_weights: int, n_kept: int) -> np.ndarray:
    """Read the mask back.

    Returns: shape (n_weights,), bool. Raises ValueError if the bytes do not hold `n_kept` ascending
    positions below `n_weights`.
    """
    code = support_code(n_weights, n_kept)
    if code.form == "none":
        return np.full(n_weights, n_kept > 0)
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=code.size_bits)
    if code.form == "bitmap":
        mask = bits.astype(bool)
    else:
        count = n_kept if code.form == "kept" else n_weights - n_kept
        positions = _from_elias_fano(bits, count, n_weights, code)
        mask = np.zeros(n_weights, bool)
        mask[positions] = True
        mask = mask if code.form == "kept" else ~mask
    if np.count_nonzero(mask) != n_kept:
        raise ValueError("kept positions do not agree with their number")
    return mask


def write_mask(mask: Tensor | None) -> bytes:
    """Write a mask; None, where all weights are kept, takes no bytes."""
    if mask is None:
        return b""
    flat = mask.cpu().numpy().reshape(-1)
    return write_positions(flat, int(np.count_nonzero(flat)))


def read_mask(data: bytes, shape: torch.Size, n_kept: int) -> Tensor | None:
    """Read a mask of `shape` back, None where all are kept; raises as `read_positions`."""
    if n_kept == shape.numel():
        return None
    return torch.from_numpy(read_positions(data, shape.numel(), n_kept)).reshape(shape)


def all_kept(shape: torch.Size) -> Tensor:
    """Return a mask that leaves nothing out."""
    return torch.ones(shape, dtype=torch.bool)


def _elias_fano(positions: np.ndarray, n_weights: int, code: SupportCode) -> np.ndarray:
    low = code.low_bits
    low_part = np.frombuffer(pack(positions & ((1 << low) - 1), low), np.uint8)
    bits = np.zeros(code.size_bits, np.uint8)
    n_low = positions.size * low
    bits[:n_low] = np.unpackbits(low_part, count=n_low)
    bits[n_low + (positions >> low) + np.arange(positions.size)] = 1
    return bits


def _from_elias_fano(bits: np.ndarray, count: int, n_weights: int, code: SupportCode) -> np.ndarray:
    low = code.low_bits
    n_low = count * low
    ones = np.flatnonzero(bits[n_low:])
    if ones.size != count:
        raise ValueError("kept positions do not agree with their number")
    high = ones - np.arange(count)
    positions = high << low
    if low:
        positions |= unpack(np.packbits(bits[:n_low]).tobytes(), count, low)
    if positions.size and (positions[-1] >= n_weights or (np.diff(positions) <= 0).any()):
        raise ValueError("kept positions are out of order or out of range")
    return positions


@dataclass(frozen=True)
class SupportCode:
    """How the kept positions are written.

    `form`: ``"none"`` (all kept or all zero), ``"bitmap"``, ``"kept"`` or ``"zeros"`` (Elias-Fano
    of those positions). `low_bits`: low bits written plainly by Elias-Fano; 0 for the other forms.
    `size_bits`: exact size.
    """

    form: Literal["none", "bitmap", "kept", "zeros"]
    low_bits: int
    size_bits: int


@lru_cache(maxsize=1024)
def support_code(n_weights: int, n_kept: int) -> SupportCode:
    """Choose the cheapest form for `n_kept` positions among `n_weights`.

    `n_weights`, `n_kept`: ``0 <= n_kept <= n_weights``.
    """
    if n_kept in (0, n_weights):
        return SupportCode("none", 0, 0)
    kept = SupportCode("kept", *_support_elias_fano(n_weights, n_kept))
    zeros = SupportCode("zeros", *_support_elias_fano(n_weights, n_weights - n_kept))
    bitmap = SupportCode("bitmap", 0, n_weights)
    return min(bitmap, kept, zeros, key=lambda code: code.size_bits)


def _support_elias_fano(n_weights: int, count: int) -> tuple[int, int]:
    guess = max(0, (n_weights // count).bit_length() - 1)
    sizes = {
        low: count * low + count + ((n_weights - 1) >> low) + 1
        for low in range(max(0, guess - 1), guess + 2)
    }
    best = min(sizes, key=lambda low: (sizes[low], low))
    return best, sizes[best]
