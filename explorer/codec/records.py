"""Records as byte fields; each field is padded to a whole byte."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from explorer.codec.bits import pack
from explorer.codec.positions import write_positions
from explorer.codec.raw import tensor_bytes
from explorer.compress.binarize import Binarized
from explorer.compress.low_rank import LowRanked
from explorer.compress.prune import Pruned
from explorer.compress.quantize import Quantized
from explorer.compress.record import Coded, Dense, Record
from explorer.compress.share import Shared
from explorer.compress.stored import Stored
from explorer.compress.streams import IndexStream, SymbolStream
from explorer.compress.symbols import FREQUENCY_BITS, LENGTH_BITS
from explorer.compress.vector_record import VectorCoded


def write_record(record: Record) -> Iterator[bytes]:
    """Yield the fields of a record, in the order of its ``field_bits``."""
    match record:
        case Dense():
            yield tensor_bytes(record.values)
        case LowRanked():
            yield from write_record(record.left)
            yield tensor_bytes(record.values)
            yield from write_record(record.right)
            if record.kept is not None:
                yield _positions(record)
        case Stored():
            yield from _index(record.index) if record.index else [_positions(record)]
            yield from _symbols(record.codes) if record.codes else _codes(record.inner)
            yield from _rest(record.inner)
        case _:
            yield _positions(record)
            yield from _codes(record)
            yield from _rest(record)


def _positions(record: Record) -> bytes:
    mask = record.mask
    if mask is None:
        return b""
    flat = mask.cpu().numpy().reshape(-1)
    return write_positions(flat, int(np.count_nonzero(flat)))


def _codes(record: Record) -> Iterator[bytes]:
    """Yield the codes of a record at a fixed width, if it has any."""
    if isinstance(record, (Coded, VectorCoded)):
        yield pack(record.codes.cpu().numpy().reshape(-1), record.code_bits)


def _rest(record: Record) -> Iterator[bytes]:
    """Yield what a record holds besides positions and codes."""
    match record:
        case Pruned():
            yield tensor_bytes(record.values)
        case Shared() | VectorCoded():
            yield b"".join(write_record(record.codebook))
        case Quantized():
            yield tensor_bytes(record.low) + tensor_bytes(record.high)
        case Binarized():
            yield tensor_bytes(record.scales)
        case _:
            raise TypeError(f"no file format for a {type(record).__name__}")


def _index(index: IndexStream) -> Iterator[bytes]:
    if index.coded:
        return _symbols(index.coded)
    return iter([pack(index.symbols, index.width)])


def _symbols(stream: SymbolStream) -> Iterator[bytes]:
    """Yield the table and the coded symbols."""
    width = LENGTH_BITS if stream.coder == "huffman" else FREQUENCY_BITS
    yield pack(stream.model.entries, width)
    yield stream.payload
