"""Records read back from their byte fields."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from explorer.codec.bits import unpack
from explorer.codec.errors import DamagedFile
from explorer.codec.layouts import (
    Layout,
    alphabet,
    code_bits,
    codebook_layout,
    layout_fields,
)
from explorer.codec.positions import read_positions
from explorer.codec.raw import tensor_from
from explorer.compress.binarize import Binarized
from explorer.compress.gaps import positions_of
from explorer.compress.low_rank import LowRanked
from explorer.compress.prune import Pruned
from explorer.compress.quantize import Quantized
from explorer.compress.record import Dense, Record
from explorer.compress.share import Shared
from explorer.compress.stored import Stored
from explorer.compress.symbols import FREQUENCY_BITS, LENGTH_BITS, SymbolModel, table_bytes

Take = Callable[[int], bytes]


def read_record(layout: Layout, shape: torch.Size, dtype: torch.dtype, take: Take) -> Record:
    """Read a record back from its fields.

    Parameters
    ----------
    layout, shape, dtype
        As for `layout_fields`, which must have passed.
    take : callable
        Returns the next so many bytes.

    Raises
    ------
    DamagedFile
        If the fields contradict each other.
    """
    match layout["kind"]:
        case "dense":
            return Dense(tensor_from(take(shape.numel() * dtype.itemsize), shape, dtype))
        case "low_rank":
            return _low_rank(layout, shape, dtype, take)
        case "stored":
            return _stored(layout, shape, dtype, take)
    fields = layout_fields(layout, shape, dtype)
    mask = _mask(take(fields[0].n_bytes), shape, layout["kept"])
    codes = None
    if layout["kind"] != "pruned":
        codes = unpack(take(fields[1].n_bytes), layout["kept"], code_bits(layout))
    return _assembled(layout, shape, dtype, mask, codes, take)


def _assembled(
    layout: Layout,
    shape: torch.Size,
    dtype: torch.dtype,
    mask: Tensor | None,
    symbols: np.ndarray | None,
    take: Take,
) -> Record:
    """Make a record of its positions and codes, and the fields that follow."""
    kind, kept = layout["kind"], layout["kept"]
    if symbols is None:
        values = tensor_from(take(kept * dtype.itemsize), torch.Size([kept]), dtype)
        return Pruned(torch.ones(shape, dtype=torch.bool) if mask is None else mask, values)
    if kept and int(symbols.max()) >= alphabet(layout):
        raise DamagedFile("an index points beyond its codebook")
    codes = torch.from_numpy(symbols.astype(np.uint8 if alphabet(layout) <= 256 else np.int16))
    if kind == "shared":
        codebook = read_record(*codebook_layout(layout), dtype, take)
        return Shared(codes, mask, shape, codebook)
    if kind == "quantized":
        ranges = torch.Size([layout["ranges"]])
        low = tensor_from(take(4 * ranges[0]), ranges, torch.float32)
        high = tensor_from(take(4 * ranges[0]), ranges, torch.float32)
        return Quantized(codes, mask, shape, low, high, layout["bits"], dtype)
    scales = torch.Size([layout["scales"]])
    table = tensor_from(take(scales[0] * dtype.itemsize), scales, dtype)
    return Binarized(codes, mask, shape, table, dtype)


def _mask(data: bytes, shape: torch.Size, n_kept: int) -> Tensor | None:
    if n_kept == shape.numel():
        return None
    return torch.from_numpy(read_positions(data, shape.numel(), n_kept)).reshape(shape)


def _low_rank(layout: Layout, shape: torch.Size, dtype: torch.dtype, take: Take) -> LowRanked:
    rank, n_rows = layout["rank"], shape[0]
    left = read_record(layout["left"], torch.Size([n_rows, rank]), torch.float32, take)
    values = tensor_from(take(4 * rank), torch.Size([rank]), torch.float32)
    n_columns = shape.numel() // n_rows
    right = read_record(layout["right"], torch.Size([rank, n_columns]), torch.float32, take)
    mask = None
    if "kept" in layout:
        n_bytes = layout_fields(layout, shape, dtype)[-1].n_bytes
        mask = _mask(take(n_bytes), shape, layout["kept"])
    return LowRanked(left, values, right, shape, dtype, mask)


def _stored(layout: Layout, shape: torch.Size, dtype: torch.dtype, take: Take) -> Stored:
    inner, index, codes = layout["record"], layout.get("index"), layout.get("codes")
    kept = inner["kept"]
    fields = layout_fields(inner, shape, dtype)
    if index is None:
        mask = _mask(take(fields[0].n_bytes), shape, kept)
    else:
        mask = _relative_mask(index, shape, kept, take)
    symbols = None
    if codes is not None:
        symbols = _symbols(codes, alphabet(inner), kept, take)
    elif inner["kind"] != "pruned":
        symbols = unpack(take(fields[1].n_bytes), kept, code_bits(inner))
    record = _assembled(inner, shape, dtype, mask, symbols, take)
    coder = (codes or index or {}).get("coder")
    return Stored(record, index["bits"] if index else None, coder)


def _relative_mask(index: Layout, shape: torch.Size, n_kept: int, take: Take) -> Tensor:
    width, n_symbols = index["bits"], n_kept + index["fillers"]
    if "coder" in index:
        symbols = _symbols(index, 1 << width, n_symbols, take)
    else:
        symbols = unpack(take(-(-n_symbols * width // 8)), n_symbols, width)
    positions = positions_of(symbols.astype(np.int64), width)
    if positions.size != n_kept or (n_kept and positions[-1] >= shape.numel()):
        raise DamagedFile("kept positions are out of range or do not agree with their number")
    mask = np.zeros(shape.numel(), bool)
    mask[positions] = True
    return torch.from_numpy(mask).reshape(shape)


def _symbols(coded: Layout, n_values: int, count: int, take: Take) -> np.ndarray:
    coder = coded["coder"]
    width = LENGTH_BITS if coder == "huffman" else FREQUENCY_BITS
    table = unpack(take(table_bytes(coder, n_values)), n_values, width)
    try:
        return SymbolModel(coder, table).decode(take(coded["bytes"]), count)
    except ValueError as error:
        raise DamagedFile(str(error)) from error
