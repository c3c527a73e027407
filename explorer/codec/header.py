"""What goes wrong with a compressed file."""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from explorer.compress.coding.bits import Field
from explorer.compress.methods.registry import MethodRegistry
from explorer.compress.networks.recipe import Recipe
from explorer.compress.records.record import FLOAT_TYPES
from explorer.compress.records.spec import Kinds, Layout, TensorSpec


class DamagedFile(ValueError):
    """A compressed file that is damaged, cut short, or no such file at all."""


def layout_fields(
    layout: Mapping[str, Any], shape: torch.Size, dtype: torch.dtype, kinds: Kinds | None = None
) -> tuple[Field, ...]:
    """Return each field that a header's layout promises.

    `layout`: as `Record.layout`. `shape`, `dtype`: of the restored tensor. `kinds`: as
    `TensorSpec.kinds`; by default, for a layout of no record, those of built-in methods and
    installed packages. Raises DamagedFile if the layout makes no sense.
    """
    if kinds is None and not isinstance(layout, Layout):
        kinds = MethodRegistry().kind
    try:
        return TensorSpec(layout, shape, dtype, kinds).fields
    except ValueError as error:
        raise DamagedFile(str(error)) from error


MAGIC = b"CMPX\x01"
MAX_WEIGHTS = 1 << 31
MAX_HEADER = 1 << 20
MAX_AXES = 8
CRC_BYTES = 4
DEFLATE_SLACK = 32
OTHER_FORM = "not in the one form that is written for it; save the model again"
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

    `name`: state-dict key, or layer name where `layout` is given. `layout`: as `Record.layout`;
    None for a tensor that no step applies to. `kinds`: as `TensorSpec.kinds`.
    """

    name: str
    shape: torch.Size
    dtype: torch.dtype
    layout: dict[str, Any] | None = None
    kinds: Kinds | None = None

    @cached_property
    def spec(self) -> TensorSpec | None:
        """What the layout promises; None where there is none."""
        if self.layout is None:
            return None
        return TensorSpec(self.layout, self.shape, self.dtype, self.kinds)

    @property
    def n_bytes(self) -> int:
        """Bytes of the section, checksum included; raises DamagedFile as `layout_fields`."""
        if self.layout is None:
            return self.shape.numel() * self.dtype.itemsize + CRC_BYTES
        fields = layout_fields(self.layout, self.shape, self.dtype, self.kinds)
        return sum(field.n_bytes for field in fields) + CRC_BYTES

    @property
    def n_numbers(self) -> int:
        """Numbers to make room for, once `n_bytes` has found the layout sound."""
        return self.shape.numel() if self.spec is None else self.spec.n_numbers


def header_bytes(
    entries: Iterable[Entry], recipe: Recipe, network: str, source_bytes: int | None = None
) -> bytes:
    """Return all that comes before the first section, for what `header_content` is given."""
    text = deflated(as_text(header_content(entries, recipe, network, source_bytes)).encode())
    return MAGIC + struct.pack("<I", len(text)) + text + struct.pack("<I", zlib.crc32(text))


def header_content(
    entries: Iterable[Entry], recipe: Recipe, network: str, source_bytes: int | None = None
) -> dict[str, Any]:
    """Return what the header says.

    `source_bytes`: bytes of the original network where neurons were removed.
    """
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
    content: dict[str, Any] = {"network": network, "recipe": recipe.as_dict(), "tensors": tensors}
    if source_bytes is not None:
        content["source_bytes"] = source_bytes
    return content


def as_text(content: Mapping[str, Any]) -> str:
    """Return part of a header as the JSON that is written for it."""
    return json.dumps(content, separators=(",", ":"))


def deflated(text: bytes) -> bytes:
    """Compress the header's text."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush()


def inflated(data: bytes) -> bytes:
    """Return the header's text; raises DamagedFile, also where it is too long."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        text = unpacker.decompress(data, MAX_HEADER + 1)
    except zlib.error as error:
        raise DamagedFile("header is not valid deflate data") from error
    if not unpacker.eof or unpacker.unused_data or len(text) > MAX_HEADER:
        raise DamagedFile(f"header is cut short, or longer than {MAX_HEADER} bytes")
    return text


def read_header(data: bytes) -> tuple[dict[str, Any], int]:
    """Return the header and where the first section starts; raises DamagedFile."""
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
    content = inflated(text)
    try:
        header = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DamagedFile("header is not valid JSON") from error
    expected = {"network": str, "recipe": dict, "tensors": list}
    if not isinstance(header, dict) or any(
        not isinstance(header.get(key), kind) for key, kind in expected.items()
    ):
        raise DamagedFile("header lacks its network, recipe or tensors")
    size = header.get("source_bytes")
    if size is not None and not (type(size) is int and 0 < size <= 16 * MAX_WEIGHTS):
        raise DamagedFile(f"header: source_bytes must be a positive number; got {size!r:.40}")
    return header, fixed + length + CRC_BYTES


def is_header_of(data: bytes, start: int, content: Mapping[str, Any]) -> bool:
    """Whether the header before `start` is the text that is written for `content`.

    Libraries deflate a text a little differently, so the length of the deflated form is limited,
    and its bytes are not compared.
    """
    text, own = data[len(MAGIC) + 4 : start - CRC_BYTES], as_text(content).encode()
    most = len(deflated(own))
    return inflated(text) == own and len(text) <= most + most // 8 + DEFLATE_SLACK


def read_entry(item: Any, kinds: Kinds | None = None) -> Entry:
    """Read what the header says of one tensor; raises DamagedFile.

    `kinds` takes a stored kind's name to its class; by default built-in and installed ones.
    """
    if not isinstance(item, list) or len(item) not in (3, 4) or not isinstance(item[0], str):
        raise DamagedFile(f"header: not a tensor: {item!r:.60}")
    name, shape, dtype = item[:3]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise DamagedFile(f"tensor {name!r:.60}: unknown type {dtype!r:.60}")
    if not isinstance(shape, list) or len(shape) > MAX_AXES or not all(map(_is_size, shape)):
        raise DamagedFile(f"tensor {name!r:.60}: bad shape {shape!r:.60}")
    if math.prod(max(1, size) for size in shape) > MAX_WEIGHTS:
        raise DamagedFile(f"tensor {name!r:.60}: shape {shape} has more than {MAX_WEIGHTS} entries")
    layout = item[3] if len(item) == 4 else None
    if len(item) == 4 and (not isinstance(layout, dict) or DTYPES[dtype] not in FLOAT_TYPES):
        raise DamagedFile(f"tensor {name!r:.60}: bad layout")
    return Entry(name, torch.Size(shape), DTYPES[dtype], layout, kinds or MethodRegistry().kind)


def _is_size(size: Any) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= MAX_WEIGHTS
