"""Fields of a tensor's section; packing of n-bit integers; tensors as little-endian bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

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


CHUNK = 1 << 20


def index_bits(n_values: int) -> int:
    """Bits that tell `n_values` values apart."""
    return max(0, n_values - 1).bit_length()


def pack(codes: np.ndarray, n_bits: int) -> bytes:
    """Pack integers of `n_bits` bits; the last byte is filled up with zeros.

    `codes`: shape (n,), nonnegative integers below ``2**n_bits``. `n_bits`: from 0 to 32.
    """
    if n_bits == 0:
        return b""
    if n_bits == 8:
        return codes.astype(np.uint8).tobytes()
    return b"".join(
        np.packbits(_to_bits(codes[i : i + CHUNK], n_bits)).tobytes()
        for i in range(0, codes.size, CHUNK)
    )


def unpack(data: bytes, count: int, n_bits: int) -> np.ndarray:
    """Read `count` integers of `n_bits` bits back.

    Returns: shape (count,), uint32 (uint8 for up to 8 bits).
    """
    kind = np.uint8 if n_bits <= 8 else np.uint32
    if n_bits == 0:
        return np.zeros(count, kind)
    if n_bits == 8:
        return np.frombuffer(data, np.uint8, count)
    packed = np.frombuffer(data, np.uint8)
    step = CHUNK * n_bits // 8
    out = np.empty(count, kind)
    for i in range(0, count, CHUNK):
        part = packed[i // CHUNK * step : (i // CHUNK + 1) * step]
        size = min(CHUNK, count - i)
        out[i : i + size] = _from_bits(np.unpackbits(part)[: size * n_bits], n_bits, kind)
    return out


def _to_bits(codes: np.ndarray, n_bits: int) -> np.ndarray:
    if n_bits <= 8:
        return np.unpackbits(codes.astype(np.uint8)[:, None], axis=1)[:, 8 - n_bits :].reshape(-1)
    shifts = np.arange(n_bits - 1, -1, -1, dtype=np.int64)
    return ((codes.astype(np.int64)[:, None] >> shifts) & 1).astype(np.uint8).reshape(-1)


def _from_bits(bits: np.ndarray, n_bits: int, kind: type) -> np.ndarray:
    columns = bits.reshape(-1, n_bits)
    out = np.zeros(len(columns), np.int64)
    for i in range(n_bits):
        out = out << 1 | columns[:, i]
    return out.astype(kind)


def tensor_bytes(tensor: Tensor) -> bytes:
    """Return the raw little-endian bytes of a tensor."""
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def tensor_from(data: bytes | memoryview, shape: torch.Size, dtype: torch.dtype) -> Tensor:
    """Read raw bytes back into a tensor of its own."""
    if not data:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape)
