"""Pruning by a threshold in place: ties, and runs of equal level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from explorer.compress.kernels.threads import over_chunks
from explorer.compress.methods.ordering import Cut

TIES_BUFFER = 4096


def shrink(source: Tensor, out: Tensor, threshold: float) -> None:
    """Copy flat weights with magnitudes up to `threshold` zeroed."""
    from explorer.compress.kernels.writing import shrink_into

    values, into, limit = source.numpy(), out.numpy(), np.float32(threshold)
    over_chunks(values.size, lambda i: shrink_into(values[i], into[i], limit))


def tie_positions(source: Tensor, cut: Cut) -> np.ndarray:
    """Row-major positions of the weights of the threshold's magnitude."""
    from explorer.compress.kernels.writing import find_magnitude

    flat, limit = source.view(-1).numpy(), np.float32(cut.threshold)
    return _found(flat.size, lambda i, found: find_magnitude(flat[i], limit, found))


def shrink_noting_ties(source: Tensor, out: Tensor, cut: Cut) -> np.ndarray:
    """Write the pruned weights and return `tie_positions`, in one pass."""
    from explorer.compress.kernels.writing import shrink_and_find

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


def with_zero_run(
    limits: np.ndarray, levels: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Put a run of level 0 for magnitudes up to `threshold` among the others.

    `limits`: shape (k - 1,), float32, ascending. `levels`: shape (k,), float32; a value v takes the
    level whose number is the count of limits below v. `threshold`: negative: nothing becomes zero.
    Returns: limits and levels with the run put in.
    """
    if threshold < 0 or not levels.size:
        return limits, levels if levels.size else np.zeros(1, np.float32)
    top = np.float32(threshold)
    bottom = np.nextafter(-top, np.float32(-np.inf))
    left = int(np.searchsorted(limits, bottom, "left"))
    right = int(np.searchsorted(limits, np.nextafter(top, np.float32(np.inf)), "left"))
    run = np.array([bottom, top], np.float32)
    return (
        np.concatenate([limits[:left], run, limits[right:]]),
        np.concatenate([levels[: left + 1], np.zeros(1, np.float32), levels[right:]]),
    )


def run_table(limits: np.ndarray) -> np.ndarray:
    """Tabulate the run of every float32 by its high 16 bits, for `kernels.levels_into`.

    Returns: shape (65536,), int16.
    """
    from explorer.compress.kernels.writing import tabulate_runs

    table = np.zeros(65536, np.int16)
    tabulate_runs(limits, table)
    return table
