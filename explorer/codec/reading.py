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
    codes_shape,
    layout_fields,
    split_fields,
)
from explorer.codec.positions import read_positions
from explorer.codec.raw import tensor_from
from explorer.compress.binarize import Binarized
from explorer.compress.gaps import positions_of
from explorer.compress.low_rank import LowRanked
from explorer.compress.product import ProductQuantized
from explorer.compress.prune import Pruned
from explorer.compress.quantize import Quantized
from explorer.compress.record import Dense, Record
from explorer.compress.residual import ResidualQuantized
from explorer.compress.share import Shared
from explorer.compress.stored import Stored
from explorer.compress.support import support_code
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
    positions, codes, _ = split_fields(layout, layout_fields(layout, shape, dtype))
    mask = _mask(take(positions[0].n_bytes), shape, layout["kept"]) if positions else None
    symbols = _plain_symbols(layout, shape, take(codes[0].n_bytes)) if codes else None
    return _assembled(layout, shape, dtype, mask, symbols, take)


def _n_symbols(layout: Layout, shape: torch.Size) -> int:
    return codes_shape(layout, shape).numel() if _is_vectors(layout) else layout["kept"]


def _is_vectors(layout: Layout) -> bool:
    return layout["kind"] in ("product", "residual")


def _plain_symbols(layout: Layout, shape: torch.Size, data: bytes) -> np.ndarray:
    return unpack(data, _n_symbols(layout, shape), code_bits(layout))


def _assembled(
    layout: Layout,
    shape: torch.Size,
    dtype: torch.dtype,
    mask: Tensor | None,
    symbols: np.ndarray | None,
    take: Take,
) -> Record:
    """Make a record of its positions and codes, and the fields that follow."""
    kind = layout["kind"]
    if symbols is None:
        kept = layout["kept"]
        values = tensor_from(take(kept * dtype.itemsize), torch.Size([kept]), dtype)
        return Pruned(_all_kept(shape) if mask is None else mask, values)
    if symbols.size and int(symbols.max()) >= alphabet(layout):
        raise DamagedFile("an index points beyond its codebook")
    codes = torch.from_numpy(symbols.astype(np.uint8 if alphabet(layout) <= 256 else np.int16))
    if kind == "shared" or _is_vectors(layout):
        codebook = read_record(*codebook_layout(layout, shape), dtype, take)
        if kind == "shared":
            return Shared(codes, mask, shape, codebook)
        if mask is None and "kept" in layout:
            mask = _all_kept(shape)
        common = (codes.reshape(codes_shape(layout, shape)), codebook, layout["centroids"], shape)
        if kind == "residual":
            return ResidualQuantized(*common, mask)
        return ProductQuantized(*common, mask, layout["axis"])
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


def _full_mask(data: bytes, shape: torch.Size, n_kept: int) -> Tensor:
    mask = _mask(data, shape, n_kept)
    return _all_kept(shape) if mask is None else mask


def _all_kept(shape: torch.Size) -> Tensor:
    return torch.ones(shape, dtype=torch.bool)


def _low_rank(layout: Layout, shape: torch.Size, dtype: torch.dtype, take: Take) -> LowRanked:
    rank, n_rows = layout["rank"], shape[0]
    left = read_record(layout["left"], torch.Size([n_rows, rank]), torch.float32, take)
    values = tensor_from(take(4 * rank), torch.Size([rank]), torch.float32)
    n_columns = shape.numel() // n_rows
    right = read_record(layout["right"], torch.Size([rank, n_columns]), torch.float32, take)
    mask = None
    if "kept" in layout:
        size_bits = support_code(shape.numel(), layout["kept"]).size_bits
        mask = _full_mask(take(-(-size_bits // 8)), shape, layout["kept"])
    return LowRanked(left, values, right, shape, dtype, mask)


def _stored(layout: Layout, shape: torch.Size, dtype: torch.dtype, take: Take) -> Stored:
    inner, index, coded = layout["record"], layout.get("index"), layout.get("codes")
    positions, codes, _ = split_fields(inner, layout_fields(inner, shape, dtype))
    mask = symbols = None
    if index is not None:
        mask = _relative_mask(index, shape, inner["kept"], take)
    elif positions:
        mask = _mask(take(positions[0].n_bytes), shape, inner["kept"])
    if coded is not None:
        symbols = _symbols(coded, alphabet(inner), _n_symbols(inner, shape), take)
    elif codes:
        symbols = _plain_symbols(inner, shape, take(codes[0].n_bytes))
    record = _assembled(inner, shape, dtype, mask, symbols, take)
    coder = (coded or index or {}).get("coder")
    return Stored(record, index["bits"] if index else None, coder)


def _relative_mask(index: Layout, shape: torch.Size, n_kept: int, take: Take) -> Tensor:
    width, n_symbols = index["bits"], n_kept + index["fillers"]
    if "coder" in index:
        symbols = _symbols(index, 1 << width, n_symbols, take)
    else:
        symbols = unpack(take(-(-n_symbols * width // 8)), n_symbols, width)
    positions = positions_of(symbols.astype(np.int32, copy=False), width)
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
