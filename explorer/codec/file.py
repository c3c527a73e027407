"""Records to the bytes of their sections, and back."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.codec.atomic import checked_path, whole
from explorer.codec.header import (
    CRC_BYTES,
    MAX_WEIGHTS,
    OTHER_FORM,
    DamagedFile,
    Entry,
    as_text,
    header_bytes,
    header_content,
    is_header_of,
    read_entry,
    read_header,
)
from explorer.compress.coding.bits import tensor_bytes, tensor_from
from explorer.compress.methods.registry import MethodRegistry
from explorer.compress.methods.setting import Setting
from explorer.compress.networks.compressed import CompressedTensors
from explorer.compress.networks.recipe import Recipe, recipe_from_json
from explorer.compress.networks.weights import parameter_name
from explorer.compress.records.record import Dense, Record
from explorer.compress.records.spec import TensorSpec


def write_record(record: Record) -> Iterator[bytes]:
    """Yield the fields of a record, in the order of its ``field_bits``.

    Raises ValueError if the record writes other sizes than its layout promises.
    """
    expected = [field.n_bytes for field in record.spec.fields]
    written = 0
    for number, data in enumerate(record.write()):
        if len(data) != (expected[number] if number < len(expected) else None):
            break
        written += 1
        yield data
    if written < len(expected):
        raise ValueError(
            f"a record of the kind {record.kind!r} does not write the {expected} bytes that its "
            f"layout promises, from field {written} on; mend its `write` or its `fields_in`"
        )


def read_record(spec: TensorSpec, section: memoryview) -> Record:
    """Read a record back from its section.

    `spec`: whose fields were found sound, and fill the section. Raises DamagedFile if the fields
    contradict each other.
    """
    position = 0

    def reader(count: int) -> bytes:
        nonlocal position
        position += count
        return bytes(section[position - count : position])

    try:
        record = spec.read(reader)
    except ValueError as error:
        raise DamagedFile(str(error)) from error
    if position != len(section):
        raise DamagedFile(f"{position} bytes of {len(section)} were read")
    if (record.shape, record.dtype) != (spec.shape, spec.dtype):
        raise DamagedFile(f"it is of shape {tuple(record.shape)}, type {record.dtype}")
    return record


def is_written_as(record: Record, section: memoryview) -> bool:
    """Tell whether the fields of a record are written as a section has them."""
    if isinstance(record, Dense):
        return True
    start = 0
    for field in write_record(record):
        if section[start : start + len(field)] != field:
            return False
        start += len(field)
    return start == len(section)


PLAUSIBLE_WEIGHTS = 1 << 24
WEIGHTS_A_BYTE = 10_000


def entries_of(model: CompressedTensors) -> list[Entry]:
    """List the tensors of a model: compressed layers first, then all else."""
    layers = [Entry(name, r.shape, r.dtype, r.layout) for name, r in model.records.items()]
    return layers + untouched_entries(model.untouched)


def untouched_entries(untouched: Mapping[str, Tensor]) -> list[Entry]:
    """List tensors that no step applies to."""
    return [Entry(name, t.shape, t.dtype) for name, t in untouched.items()]


def encode(model: CompressedTensors) -> bytes:
    """Return the bytes of the file.

    Raises TypeError, ValueError if the model holds what a file cannot, or more than one that size
    may.
    """
    parts = [header_bytes(entries_of(model), model.recipe, model.network, model.source_bytes)]
    sections = [b"".join(write_record(record)) for record in model.records.values()]
    sections += [tensor_bytes(tensor) for tensor in model.untouched.values()]
    for section in sections:
        parts += [section, struct.pack("<I", zlib.crc32(section))]
    data = b"".join(parts)
    try:
        _plan(data, model.recipe.kinds)
    except DamagedFile as error:
        raise ValueError(f"this model does not fit into a file: {error}") from error
    return data


def file_bytes(
    entries: Iterable[Entry], recipe: Recipe, network: str, source_bytes: int | None = None
) -> int:
    """Return the exact size of the file without encoding a single tensor."""
    listed = list(entries)
    header = len(header_bytes(listed, recipe, network, source_bytes))
    return header + sum(entry.n_bytes for entry in listed)


def save(model: CompressedTensors, path: str | Path) -> int:
    """Write a model to a file, whole or not at all; return its size in bytes."""
    data = encode(model)
    with whole(path) as scratch:
        scratch.write_bytes(data)
    return len(data)


def read(path: str | Path, methods: Iterable[type[Setting]] = ()) -> CompressedTensors:
    """Read a compressed file.

    `methods`: methods of your own that it may need, besides those of installed packages. Returns:
    without a template: its ``restore`` needs a module. Raises DamagedFile if the file is damaged,
    cut short, or no such file; the message says where. Raises OSError if it cannot be read.
    """
    try:
        return decode(checked_path(path).read_bytes(), methods)
    except DamagedFile as error:
        raise DamagedFile(f"{Path(path).name}: {error}") from error


def decode(data: bytes, methods: Iterable[type[Setting]] = ()) -> CompressedTensors:
    """Read a model back from the bytes of a file; raises as `read`."""
    try:
        return _decode(data, tuple(methods))
    except RecursionError as error:
        raise DamagedFile("header is nested too deeply") from error


def _plan(
    data: bytes, methods: Iterable[type[Setting]]
) -> tuple[dict[str, Any], Recipe, list[Entry], int]:
    """Return the header, what it says, and where the first section starts."""
    header, start = read_header(data)
    kinds = MethodRegistry(methods).kind
    entries = [read_entry(item, kinds) for item in header["tensors"]]
    _check_sizes(entries, len(data) - start)
    try:
        recipe = recipe_from_json(json.dumps(header["recipe"]), methods)
    except ValueError as error:
        raise DamagedFile(str(error)) from error
    raw = [entry.layout is None for entry in entries]
    own = header_content(entries, recipe, header["network"], header.get("source_bytes"))
    if raw != sorted(raw) or not is_header_of(data, start, own):
        raise DamagedFile(f"header: {OTHER_FORM}")
    return header, recipe, entries, start


def _decode(data: bytes, methods: Iterable[type[Setting]]) -> CompressedTensors:
    header, recipe, entries, start = _plan(data, methods)
    records: dict[str, Record] = {}
    untouched: dict[str, Tensor] = {}
    for entry in entries:
        n_bytes = entry.n_bytes
        section = memoryview(data)[start : start + n_bytes - CRC_BYTES]
        start += n_bytes
        if data[start - CRC_BYTES : start] != struct.pack("<I", zlib.crc32(section)):
            raise DamagedFile(f"tensor {entry.name!r}: checksum does not match")
        if entry.spec is None:
            untouched[entry.name] = _untouched(section, entry)
        else:
            records[entry.name] = _record(section, entry.name, entry.spec)
    size = header.get("source_bytes")
    return CompressedTensors(records, untouched, recipe, None, header["network"], size)


def _check_sizes(entries: list[Entry], n_bytes: int) -> None:
    limit = min(MAX_WEIGHTS, PLAUSIBLE_WEIGHTS + WEIGHTS_A_BYTE * n_bytes)
    expected = sum(entry.n_bytes for entry in entries)
    if sum(entry.n_numbers for entry in entries) > limit:
        raise DamagedFile(
            f"header promises more than {limit} weights, factors and centroids in {n_bytes} bytes"
        )
    keys = [parameter_name(e.name) if e.layout is not None else e.name for e in entries]
    if len(set(keys)) != len(keys):
        raise DamagedFile("header names a tensor twice")
    if expected != n_bytes:
        raise DamagedFile(f"the tensors should take {expected} bytes; the file has {n_bytes}")


def _untouched(section: memoryview, entry: Entry) -> Tensor:
    if entry.dtype == torch.bool and bytes(section).strip(b"\0\1"):
        raise DamagedFile(f"tensor {entry.name!r}: not a truth value")
    return tensor_from(section, entry.shape, entry.dtype)


def _record(section: memoryview, name: str, spec: TensorSpec) -> Record:
    """Read a record; what would be written for it in other bytes is refused."""
    try:
        record = read_record(spec, section)
        same = as_text(record.layout) == as_text(spec.layout)
        same = same and is_written_as(record, section)
    except ValueError as error:
        raise DamagedFile(f"tensor {name!r}: {error}") from error
    if not same:
        raise DamagedFile(f"tensor {name!r}: {OTHER_FORM}")
    return record
