"""Pruning in place, and the weights of exactly the threshold's magnitude that stay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from explorer.compress.ordering import Cut
from explorer.compress.threads import over_chunks

TIES_BUFFER = 4096


def shrink(source: Tensor, out: Tensor, threshold: float) -> None:
    """Copy flat weights with magnitudes up to `threshold` zeroed."""
    from explorer.compress.writing_kernels import shrink_into

    values, into, limit = source.numpy(), out.numpy(), np.float32(threshold)
    over_chunks(values.size, lambda i: shrink_into(values[i], into[i], limit))


def tie_positions(source: Tensor, cut: Cut) -> np.ndarray:
    """Row-major positions of the weights of the threshold's magnitude."""
    from explorer.compress.writing_kernels import find_magnitude

    flat, limit = source.view(-1).numpy(), np.float32(cut.threshold)
    return _found(flat.size, lambda i, found: find_magnitude(flat[i], limit, found))


def shrink_noting_ties(source: Tensor, out: Tensor, cut: Cut) -> np.ndarray:
    """Write the pruned weights and return `tie_positions`, in one pass."""
    from explorer.compress.writing_kernels import shrink_and_find

    flat, into = source.view(-1).numpy(), out.view(-1).numpy()
    limit = int(np.float32(cut.threshold).view(np.uint32))
    return _found(flat.size, lambda i, found: shrink_and_find(flat[i], into[i], limit, found))


def _found(size: int, find: Callable[[slice, np.ndarray], int]) -> np.ndarray:
    """Collect positions that a loop finds in each part, with a larger buffer if need be."""

    def positions(part: slice) -> np.ndarray:
        found = np.empty(TIES_BUFFER, np.int64)
        count = find(part, found)
        if count > found.size:
            found = np.empty(count, np.int64)
            find(part, found)
        return found[:count] + part.start

    return np.concatenate(over_chunks(size, positions))


def kept_ties(source: Tensor, ties: np.ndarray, cut: Cut) -> np.ndarray:
    """Return those of the `ties` that a cut keeps."""
    values = source.view(-1).numpy()[ties]
    negative, positive = ties[values < 0], ties[values > 0]
    return np.concatenate(
        [
            negative[len(negative) - cut.keep_negative :],
            positive[len(positive) - cut.keep_positive :],
        ]
    )
