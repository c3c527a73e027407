"""The compressed file (.cmpx): a header and one checked section a tensor.

Layout, all numbers little-endian::

    "CMPX", version (1 byte), header length (4 bytes), header (JSON), CRC-32 of the header
    for each tensor: its fields, each padded to a whole byte, then their CRC-32

The same model gives the same bytes. Reading allocates no more than the file's own size and
that of the restored tensors, which is limited, and never runs anything from the file.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.codec.errors import DamagedFile
from explorer.codec.records import (
    layout_fields,
    read_record,
    tensor_bytes,
    tensor_from,
    write_record,
)
from explorer.compress.model import CompressedTensors
from explorer.compress.recipe import Recipe, recipe_from_json
from explorer.compress.record import FLOAT_TYPES, Record
from explorer.compress.weights import parameter_name

MAGIC = b"CMPX\x01"
MAX_HEADER = 16_000_000
MAX_WEIGHTS = 1 << 31
MAX_AXES = 8
CRC_BYTES = 4
DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *FLOAT_TYPES,
        torch.float64,
        torch.complex64,
        torch.complex128,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.bool,
    )
}


@dataclass(frozen=True)
class Entry:
    """One tensor of the file.

    Attributes
    ----------
    name : str
        State-dict key, or layer name where `layout` is given.
    shape : torch.Size
    dtype : torch.dtype
    layout : dict or None
        As `Record.layout`; None for a tensor that no step applies to.
    """

    name: str
    shape: torch.Size
    dtype: torch.dtype
    layout: dict[str, Any] | None = None

    @property
    def n_bytes(self) -> int:
        """Bytes of the section, checksum included."""
        if self.layout is None:
            return self.shape.numel() * self.dtype.itemsize + CRC_BYTES
        bits = layout_fields(self.layout, self.shape, self.dtype)
        return sum(-(-b // 8) for b in bits) + CRC_BYTES


def header_bytes(entries: Iterable[Entry], recipe: Recipe, network: str) -> bytes:
    """Return all that comes before the first section."""
    tensors = []
    for entry in entries:
        dtype = str(entry.dtype).removeprefix("torch.")
        if dtype not in DTYPES:
            raise TypeError(
                f"tensor {entry.name!r} is of type {entry.dtype}, which the file cannot hold; "
                f"it holds {', '.join(DTYPES)}. Convert the tensor first"
            )
        item: list[Any] = [entry.name, list(entry.shape), dtype]
        tensors.append(item if entry.layout is None else [*item, entry.layout])
    content = {"network": network, "recipe": recipe.as_dict(), "tensors": tensors}
    text = json.dumps(content, separators=(",", ":")).encode()
    return MAGIC + struct.pack("<I", len(text)) + text + struct.pack("<I", zlib.crc32(text))


def entries_of(model: CompressedTensors) -> list[Entry]:
    """List the tensors of a model: compressed layers first, then all else."""
    layers = [Entry(name, r.shape, r.dtype, r.layout) for name, r in model.records.items()]
    return layers + untouched_entries(model.untouched)


def untouched_entries(untouched: Mapping[str, Tensor]) -> list[Entry]:
    """List tensors that no step applies to."""
    return [Entry(name, t.shape, t.dtype) for name, t in untouched.items()]


def encode(model: CompressedTensors) -> bytes:
    """Return the bytes of the file."""
    parts = [header_bytes(entries_of(model), model.recipe, model.network)]
    sections = [b"".join(write_record(record)) for record in model.records.values()]
    sections += [tensor_bytes(tensor) for tensor in model.untouched.values()]
    for section in sections:
        parts += [section, struct.pack("<I", zlib.crc32(section))]
    return b"".join(parts)


def file_bytes(entries: Iterable[Entry], recipe: Recipe, network: str) -> int:
    """Return the exact size of the file without encoding a single tensor."""
    listed = list(entries)
    return len(header_bytes(listed, recipe, network)) + sum(entry.n_bytes for entry in listed)


def save(model: CompressedTensors, path: str | Path) -> int:
    """Write a model to a file, whole or not at all; return its size in bytes."""
    target = Path(path)
    data = encode(model)
    scratch = target.with_name(target.name + ".part")
    scratch.write_bytes(data)
    scratch.replace(target)
    return len(data)


def read(path: str | Path) -> CompressedTensors:
    """Read a compressed file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    CompressedTensors
        Without a template: its ``restore`` needs a module.

    Raises
    ------
    DamagedFile
        If the file is damaged, cut short, or no such file; the message says where.
    OSError
        If it cannot be read.
    """
    try:
        return decode(Path(path).read_bytes())
    except DamagedFile as error:
        raise DamagedFile(f"{Path(path).name}: {error}") from error


def decode(data: bytes) -> CompressedTensors:
    """Read a model back from the bytes of a file; raises as `read`."""
    try:
        return _decode(data)
    except RecursionError as error:
        raise DamagedFile("header is nested too deeply") from error


def _decode(data: bytes) -> CompressedTensors:
    header, start = _read_header(data)
    entries = [_entry(item) for item in header["tensors"]]
    _check_sizes(entries, len(data) - start)
    records: dict[str, Record] = {}
    untouched: dict[str, Tensor] = {}
    for entry in entries:
        section = data[start : start + entry.n_bytes - CRC_BYTES]
        start += entry.n_bytes
        if data[start - CRC_BYTES : start] != struct.pack("<I", zlib.crc32(section)):
            raise DamagedFile(f"tensor {entry.name!r}: checksum does not match")
        if entry.layout is None:
            untouched[entry.name] = _untouched(section, entry)
        else:
            records[entry.name] = _record(section, entry)
    try:
        recipe = recipe_from_json(json.dumps(header["recipe"]))
    except ValueError as error:
        raise DamagedFile(str(error)) from error
    return CompressedTensors(records, untouched, recipe, None, header["network"])


def _read_header(data: bytes) -> tuple[dict[str, Any], int]:
    fixed = len(MAGIC) + 4
    if data[: len(MAGIC) - 1] != MAGIC[:-1]:
        raise DamagedFile("not a compressed model: it does not begin with CMPX")
    if len(data) < fixed or data[: len(MAGIC)] != MAGIC:
        raise DamagedFile("written by another version of the format; this one reads version 1")
    (length,) = struct.unpack("<I", data[len(MAGIC) : fixed])
    if length > MAX_HEADER or fixed + length + CRC_BYTES > len(data):
        raise DamagedFile(f"cut short: the header should have {length} bytes")
    text = data[fixed : fixed + length]
    if data[fixed + length : fixed + length + CRC_BYTES] != struct.pack("<I", zlib.crc32(text)):
        raise DamagedFile("header: checksum does not match")
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFile("header is not valid JSON") from error
    expected = {"network": str, "recipe": dict, "tensors": list}
    if not isinstance(header, dict) or any(
        not isinstance(header.get(key), kind) for key, kind in expected.items()
    ):
        raise DamagedFile("header lacks its network, recipe or tensors")
    return header, fixed + length + CRC_BYTES


def _entry(item: Any) -> Entry:
    if not isinstance(item, list) or len(item) not in (3, 4) or not isinstance(item[0], str):
        raise DamagedFile(f"header: not a tensor: {item!r:.60}")
    name, shape, dtype = item[:3]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise DamagedFile(f"tensor {name!r:.60}: unknown type {dtype!r:.60}")
    if not isinstance(shape, list) or len(shape) > MAX_AXES or not all(map(_is_size, shape)):
        raise DamagedFile(f"tensor {name!r:.60}: bad shape {shape!r:.60}")
    if math.prod(shape) > MAX_WEIGHTS:
        raise DamagedFile(f"tensor {name!r:.60}: shape {shape} has more than {MAX_WEIGHTS} entries")
    layout = item[3] if len(item) == 4 else None
    if len(item) == 4 and (not isinstance(layout, dict) or DTYPES[dtype] not in FLOAT_TYPES):
        raise DamagedFile(f"tensor {name!r:.60}: bad layout")
    return Entry(name, torch.Size(shape), DTYPES[dtype], layout)


def _is_size(size: Any) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= MAX_WEIGHTS


def _check_sizes(entries: list[Entry], n_bytes: int) -> None:
    if sum(entry.shape.numel() for entry in entries) > MAX_WEIGHTS:
        raise DamagedFile(f"header promises more than {MAX_WEIGHTS} weights")
    keys = [parameter_name(e.name) if e.layout is not None else e.name for e in entries]
    if len(set(keys)) != len(keys):
        raise DamagedFile("header names a tensor twice")
    expected = sum(entry.n_bytes for entry in entries)
    if expected != n_bytes:
        raise DamagedFile(f"the tensors should take {expected} bytes; the file has {n_bytes}")


def _untouched(section: bytes, entry: Entry) -> Tensor:
    if entry.dtype == torch.bool and any(byte > 1 for byte in section):
        raise DamagedFile(f"tensor {entry.name!r}: not a truth value")
    return tensor_from(section, entry.shape, entry.dtype)


def _record(section: bytes, entry: Entry) -> Record:
    position = 0

    def take(count: int) -> bytes:
        nonlocal position
        position += count
        return section[position - count : position]

    try:
        return read_record(entry.layout or {}, entry.shape, entry.dtype, take)
    except DamagedFile as error:
        raise DamagedFile(f"tensor {entry.name!r}: {error}") from error
