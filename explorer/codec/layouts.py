"""What a header's layout of a tensor promises: the size and the role of each of its fields."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from explorer.codec.counts import Layout, channels_in, count_in
from explorer.codec.errors import DamagedFile
from explorer.compress.gaps import MAX_INDEX_BITS
from explorer.compress.product import product_codebook_shape
from explorer.compress.prune import pruned_fields
from explorer.compress.record import coded_fields
from explorer.compress.residual import MAX_STAGES, residual_codebook_shape
from explorer.compress.share import index_bits
from explorer.compress.support import support_code
from explorer.compress.symbols import CODERS, table_bytes
from explorer.compress.vector_record import vector_fields
from explorer.compress.vectors import MAX_CENTROIDS

ROLES = ("values", "indices", "fillers", "codebooks", "tables")
MAX_VALUES = 1 << 15
MAX_DEPTH = 40


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


def layout_fields(
    layout: Layout, shape: torch.Size, dtype: torch.dtype, depth: int = 0
) -> tuple[Field, ...]:
    """Return each field that a header's layout promises.

    Parameters
    ----------
    layout : dict
        As `Record.layout`.
    shape, dtype : torch.Size, torch.dtype
        Of the restored tensor.
    depth : int
        How many layouts this one lies in.

    Returns
    -------
    tuple of Field

    Raises
    ------
    DamagedFile
        If the layout makes no sense.
    """
    if not isinstance(layout, dict) or depth > MAX_DEPTH:
        raise DamagedFile(f"header: not a layout: {layout!r:.40}")
    n, bits = shape.numel(), dtype.itemsize * 8
    match layout.get("kind"):
        case "dense":
            return (Field("values", n * bits),)
        case "pruned":
            sizes = pruned_fields(n, count_in(layout, "kept", n), bits)
            return Field("indices", sizes[0]), Field("values", sizes[1])
        case "shared" | "quantized" | "binarized":
            return _coded(layout, shape, dtype, depth)
        case "product" | "residual":
            return _vectors(layout, shape, dtype, depth)
        case "low_rank":
            return _low_rank(layout, shape, depth)
        case "stored":
            return _stored(layout, shape, dtype, depth)
    raise DamagedFile(f"unknown kind of tensor: {layout.get('kind')!r:.40}")


def code_bits(layout: Layout) -> int:
    """Return the bits of one code of a coded layout."""
    if layout["kind"] not in ("quantized", "binarized"):
        return index_bits(alphabet(layout))
    return 1 if layout["kind"] == "binarized" else count_in(layout, "bits", 8, low=1)


def alphabet(layout: Layout) -> int:
    """Return how many values a code can take."""
    match layout["kind"]:
        case "shared":
            return count_in(layout, "values", MAX_VALUES)
        case "product" | "residual":
            return count_in(layout, "centroids", MAX_CENTROIDS, low=1)
    return 1 << code_bits(layout)


def codebook_layout(layout: Layout, shape: torch.Size) -> tuple[Layout, torch.Size]:
    """Return the layout and shape of the codebook of a tensor of `shape`."""
    match layout["kind"]:
        case "product":
            size = product_codebook_shape(layout, shape)
        case "residual":
            size = residual_codebook_shape(layout, shape)
        case _:
            size = torch.Size([count_in(layout, "values", MAX_VALUES)])
    return layout.get("codebook", {"kind": "dense"}), size


def codes_shape(layout: Layout, shape: torch.Size) -> torch.Size:
    """Return the shape of the codes of a product or residual layout."""
    if layout["kind"] == "residual":
        return torch.Size([layout["stages"], shape[0]])
    columns = codebook_layout(layout, shape)[1][1]
    return torch.Size([layout["subvectors"], shape.numel() // columns])


def _coded(layout: Layout, shape: torch.Size, dtype: torch.dtype, depth: int) -> tuple[Field, ...]:
    n, kind = shape.numel(), layout["kind"]
    if kind == "shared":
        table = _codebook_bits(layout, shape, dtype, depth)
    elif kind == "quantized":
        table = 64 * channels_in(layout, "ranges", shape, low=1)
    else:
        table = dtype.itemsize * 8 * channels_in(layout, "scales", shape)
    sizes = coded_fields(n, count_in(layout, "kept", n), code_bits(layout), table)
    return Field("indices", sizes[0]), Field("values", sizes[1]), Field("codebooks", sizes[2])


def _codebook_bits(layout: Layout, shape: torch.Size, dtype: torch.dtype, depth: int) -> int:
    book, size = codebook_layout(layout, shape)
    if not isinstance(book, dict) or book.get("kind") not in ("dense", "quantized"):
        raise DamagedFile(f"header: not a codebook: {book!r:.40}")
    return sum(8 * field.n_bytes for field in layout_fields(book, size, dtype, depth + 1))


def _vectors(
    layout: Layout, shape: torch.Size, dtype: torch.dtype, depth: int
) -> tuple[Field, ...]:
    if len(shape) < 2 or not shape.numel():
        raise DamagedFile("a tensor of quantized vectors needs two axes")
    alphabet(layout)
    if layout["kind"] == "residual":
        count_in(layout, "stages", MAX_STAGES, low=1)
    else:
        axis = count_in(layout, "axis", 1)
        length = shape[0] if axis == 0 else shape.numel() // shape[0]
        count_in(layout, "subvectors", length, low=1)
    if "kept" in layout:
        count_in(layout, "kept", shape.numel())
    table = _codebook_bits(layout, shape, dtype, depth)
    sizes = vector_fields(layout, shape, codes_shape(layout, shape).numel(), table)
    roles = ("indices", "values", "codebooks")[-len(sizes) :]
    return tuple(Field(role, bits) for role, bits in zip(roles, sizes, strict=True))


def _low_rank(layout: Layout, shape: torch.Size, depth: int) -> tuple[Field, ...]:
    if (
        len(shape) < 2
        or not shape.numel()
        or not all(isinstance(layout.get(side), dict) for side in ("left", "right"))
    ):
        raise DamagedFile("a factored tensor needs two axes and two factors")
    n_rows, n_columns = shape[0], shape.numel() // shape[0]
    rank = count_in(layout, "rank", min(n_rows, n_columns))
    left = layout_fields(layout["left"], torch.Size([n_rows, rank]), torch.float32, depth + 1)
    right = layout_fields(layout["right"], torch.Size([rank, n_columns]), torch.float32, depth + 1)
    fields = (*left, Field("values", 32 * rank), *right)
    if "kept" not in layout:
        return fields
    kept = count_in(layout, "kept", shape.numel())
    return (*fields, Field("indices", support_code(shape.numel(), kept).size_bits))


def _stored(layout: Layout, shape: torch.Size, dtype: torch.dtype, depth: int) -> tuple[Field, ...]:
    inner = layout.get("record")
    if not isinstance(inner, dict) or inner.get("kind") in ("stored", "low_rank", "dense"):
        raise DamagedFile("header: nothing there that could be stored in another way")
    positions, codes, rest = split_fields(inner, layout_fields(inner, shape, dtype, depth + 1))
    if "index" in layout:
        positions = _index(layout["index"], count_in(inner, "kept", shape.numel()), shape.numel())
    if "codes" in layout:
        if not codes:
            raise DamagedFile("header: codes of a tensor that has none")
        n_symbols = codes[0].bits // max(1, code_bits(inner))
        table, payload = _coded_symbols(layout["codes"], alphabet(inner), n_symbols)
        codes = (table, Field("values", payload))
    return (*positions, *codes, *rest)


def split_fields(layout: Layout, fields: tuple[Field, ...]) -> tuple[tuple[Field, ...], ...]:
    """Split fields into kept positions, codes, and all else, as `Record.split_fields`."""
    start = 1 if fields[0].role == "indices" else 0
    end = start + (layout["kind"] != "pruned")
    return fields[:start], fields[start:end], fields[end:]


def _index(index: Any, n_kept: int, n_weights: int) -> tuple[Field, ...]:
    if not isinstance(index, dict):
        raise DamagedFile(f"header: not an index: {index!r:.40}")
    width = count_in(index, "bits", MAX_INDEX_BITS, low=1)
    fillers = count_in(index, "fillers", (n_weights - n_kept) // ((1 << width) - 1))
    n_symbols = n_kept + fillers
    if "coder" not in index:
        return (Field("indices", n_symbols * width, fillers * width),)
    table, payload = _coded_symbols(index, 1 << width, n_symbols)
    return table, Field("indices", payload, payload * fillers // max(1, n_symbols))


def _coded_symbols(coded: Any, n_values: int, n_symbols: int) -> tuple[Field, int]:
    """Return the field of the table, and the bits of the symbols."""
    if not isinstance(coded, dict) or coded.get("coder") not in CODERS:
        raise DamagedFile(f"header: unknown entropy coder in {coded!r:.60}")
    n_bytes = count_in(coded, "bytes", 4 * n_symbols + 8)
    return Field("tables", 8 * table_bytes(coded["coder"], n_values)), 8 * n_bytes
