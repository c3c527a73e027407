"""Records as byte fields, and back; each field is padded to a whole byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.codec.bits import pack, unpack
from explorer.codec.errors import DamagedFile
from explorer.codec.positions import read_positions, write_positions
from explorer.compress.binarize import Binarized
from explorer.compress.low_rank import LowRanked
from explorer.compress.prune import Pruned, pruned_fields
from explorer.compress.quantize import Quantized
from explorer.compress.record import Coded, Dense, Record, coded_fields
from explorer.compress.share import Shared, index_bits
from explorer.compress.support import support_code

Take = Callable[[int], bytes]


def tensor_bytes(tensor: Tensor) -> bytes:
    """Return the raw little-endian bytes of a tensor."""
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def tensor_from(data: bytes, shape: torch.Size, dtype: torch.dtype) -> Tensor:
    """Read raw bytes back into a tensor of its own."""
    if not data:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape)


def write_record(record: Record) -> Iterator[bytes]:
    """Yield the fields of a record, in the order of its ``field_bits``."""
    match record:
        case Dense():
            yield tensor_bytes(record.values)
        case Pruned():
            yield write_positions(_flat_mask(record), record.values.numel())
            yield tensor_bytes(record.values)
        case Coded():
            yield write_positions(_flat_mask(record), record.codes.numel())
            yield pack(record.codes.cpu().numpy(), record.code_bits)
            yield b"".join(_table(record))
        case LowRanked():
            yield from write_record(record.left)
            yield tensor_bytes(record.values)
            yield from write_record(record.right)
            if record.kept is not None:
                yield write_positions(_flat_mask(record), int(record.kept.sum()))
        case _:
            raise TypeError(f"no file format for a {type(record).__name__}")


def _flat_mask(record: Record) -> np.ndarray:
    mask = record.mask
    return np.ones(record.n_weights, bool) if mask is None else mask.cpu().numpy().reshape(-1)


def _table(record: Coded) -> Iterator[bytes]:
    match record:
        case Shared():
            yield from write_record(record.codebook)
        case Quantized():
            yield tensor_bytes(record.low)
            yield tensor_bytes(record.high)
        case Binarized():
            yield tensor_bytes(record.scales)


def layout_fields(layout: dict[str, Any], shape: torch.Size, dtype: torch.dtype) -> tuple[int, ...]:
    """Bits of each field that a header's layout promises.

    Parameters
    ----------
    layout : dict
        As `Record.layout`.
    shape, dtype : torch.Size, torch.dtype
        Of the restored tensor.

    Returns
    -------
    tuple of int

    Raises
    ------
    DamagedFile
        If the layout makes no sense.
    """
    if not isinstance(layout, dict):
        raise DamagedFile(f"header: not a layout: {layout!r:.40}")
    n, bits = shape.numel(), dtype.itemsize * 8
    match layout.get("kind"):
        case "dense":
            return (n * bits,)
        case "pruned":
            return pruned_fields(n, count_in(layout, "kept", n), bits)
        case "shared":
            size = count_in(layout, "values", 1 << 15)
            book = layout.get("codebook", {"kind": "dense"})
            table = sum(-(-b // 8) * 8 for b in layout_fields(book, torch.Size([size]), dtype))
            return coded_fields(n, count_in(layout, "kept", n), index_bits(size), table)
        case "quantized":
            ranges = channels_in(layout, "ranges", shape, low=1)
            codes = count_in(layout, "bits", 8, low=1)
            return coded_fields(n, count_in(layout, "kept", n), codes, 64 * ranges)
        case "binarized":
            scales = channels_in(layout, "scales", shape)
            return coded_fields(n, count_in(layout, "kept", n), 1, bits * scales)
        case "low_rank":
            return _low_rank_layout_fields(layout, shape)
    raise DamagedFile(f"unknown kind of tensor: {layout.get('kind')!r:.40}")


def _low_rank_layout_fields(layout: dict[str, Any], shape: torch.Size) -> tuple[int, ...]:
    if (
        len(shape) < 2
        or not shape.numel()
        or not all(isinstance(layout.get(side), dict) for side in ("left", "right"))
    ):
        raise DamagedFile("a factored tensor needs two axes and two factors")
    n_rows, n_columns = shape[0], shape.numel() // shape[0]
    rank = count_in(layout, "rank", min(n_rows, n_columns))
    left = layout_fields(layout["left"], torch.Size([n_rows, rank]), torch.float32)
    right = layout_fields(layout["right"], torch.Size([rank, n_columns]), torch.float32)
    fields = (*left, 32 * rank, *right)
    if "kept" not in layout:
        return fields
    kept = count_in(layout, "kept", shape.numel())
    return (*fields, support_code(shape.numel(), kept).size_bits)


def count_in(layout: dict[str, Any], name: str, high: int, low: int = 0) -> int:
    """Return a count from a header, checked to be an integer in [low, high]."""
    value = layout.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise DamagedFile(f"header: {name} must be from {low} to {high}; got {value!r:.40}")
    return value


def channels_in(layout: dict[str, Any], name: str, shape: torch.Size, low: int = 0) -> int:
    """Return a count from a header, checked to be `low`, 1 or the number of channels."""
    value = count_in(layout, name, max([1, *shape[:1]]), low)
    if value not in (low, 1, *shape[:1]):
        raise DamagedFile(f"header: {name} must be 1 or one a channel ({shape[0]}); got {value}")
    return value


def read_record(
    layout: dict[str, Any], shape: torch.Size, dtype: torch.dtype, take: Take
) -> Record:
    """Read a record back from its fields.

    Parameters
    ----------
    layout, shape, dtype
        As for `layout_fields`, which must have passed.
    take : callable
        Returns the next so many bytes.
    """
    sizes = [-(-bits // 8) for bits in layout_fields(layout, shape, dtype)]
    match layout["kind"]:
        case "dense":
            return Dense(tensor_from(take(sizes[0]), shape, dtype))
        case "pruned":
            mask = _read_mask(take(sizes[0]), shape, layout["kept"])
            values = tensor_from(take(sizes[1]), torch.Size([layout["kept"]]), dtype)
            return Pruned(torch.ones(shape, dtype=torch.bool) if mask is None else mask, values)
        case "low_rank":
            return _read_low_rank(layout, shape, dtype, take)
    mask = _read_mask(take(sizes[0]), shape, layout["kept"])
    return _read_coded(layout, shape, dtype, mask, take, sizes)


def _read_mask(data: bytes, shape: torch.Size, n_kept: int) -> Tensor | None:
    if n_kept == shape.numel():
        return None
    return torch.from_numpy(read_positions(data, shape.numel(), n_kept)).reshape(shape)


def _read_coded(
    layout: dict[str, Any],
    shape: torch.Size,
    dtype: torch.dtype,
    mask: Tensor | None,
    take: Take,
    sizes: list[int],
) -> Record:
    kind, kept = layout["kind"], layout["kept"]
    n_values = layout.get("values", 0)
    code_bits = {"shared": index_bits(n_values), "binarized": 1}.get(kind) or layout.get("bits", 0)
    codes = torch.from_numpy(unpack(take(sizes[1]), kept, code_bits).copy())
    if kind == "shared":
        if kept and int(codes.max()) >= n_values:
            raise DamagedFile("an index points beyond its codebook")
        book = layout.get("codebook", {"kind": "dense"})
        codebook = read_record(book, torch.Size([n_values]), dtype, take)
        return Shared(codes, mask, shape, codebook)
    if kind == "quantized":
        ranges = torch.Size([layout["ranges"]])
        low = tensor_from(take(4 * ranges[0]), ranges, torch.float32)
        high = tensor_from(take(4 * ranges[0]), ranges, torch.float32)
        return Quantized(codes, mask, shape, low, high, code_bits, dtype)
    scales = torch.Size([layout["scales"]])
    return Binarized(codes, mask, shape, tensor_from(take(sizes[2]), scales, dtype), dtype)


def _read_low_rank(
    layout: dict[str, Any], shape: torch.Size, dtype: torch.dtype, take: Take
) -> LowRanked:
    rank, n_rows = layout["rank"], shape[0]
    left = read_record(layout["left"], torch.Size([n_rows, rank]), torch.float32, take)
    values = tensor_from(take(4 * rank), torch.Size([rank]), torch.float32)
    n_columns = shape.numel() // n_rows
    right = read_record(layout["right"], torch.Size([rank, n_columns]), torch.float32, take)
    mask = None
    if "kept" in layout:
        n_bytes = -(-support_code(shape.numel(), layout["kept"]).size_bits // 8)
        mask = _read_mask(take(n_bytes), shape, layout["kept"])
    return LowRanked(left, values, right, shape, dtype, mask)
