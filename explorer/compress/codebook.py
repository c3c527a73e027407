"""Codebooks as part of another record: dense, or quantized by a later step."""

from __future__ import annotations

from typing import Any

import torch

from explorer.compress.promise import Layout, Promise
from explorer.compress.record import Dense, Record

KINDS = ("dense", "quantized")


def codebook_in(promise: Promise, shape: torch.Size) -> Promise:
    """Return what a header promises of a tensor's codebook of `shape`.

    Raises
    ------
    ValueError
        If it is of no kind that a codebook can be.
    """
    book = promise.layout.get("codebook", Layout.of(Dense))
    if not isinstance(book, dict) or book.get("kind") not in KINDS:
        raise ValueError(f"header: not a codebook: {book!r:.40}")
    return promise.part(book, shape)


def codebook_bits(book: Promise) -> int:
    """Return the bits of a codebook, each of its fields padded to a byte."""
    return sum(8 * field.n_bytes for field in book.fields)


def codebook_layout(codebook: Record) -> dict[str, Any]:
    """Return what a header says of a codebook: nothing of a dense one."""
    return {} if isinstance(codebook, Dense) else {"codebook": codebook.layout}
