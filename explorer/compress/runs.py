"""Runs of neighboring values that take the same level, one of them zero."""

from __future__ import annotations

import numpy as np


def with_zero_run(
    limits: np.ndarray, levels: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Put a run of level 0 for magnitudes up to `threshold` among the others.

    Parameters
    ----------
    limits : ndarray, shape (k - 1,), float32, ascending
    levels : ndarray, shape (k,), float32
        A value v takes the level whose number is the count of limits below v.
    threshold : float
        Negative: nothing becomes zero.

    Returns
    -------
    tuple of ndarray
        Limits and levels with the run put in.
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

    Returns
    -------
    ndarray, shape (65536,), int16
    """
    from explorer.compress.writing_kernels import tabulate_runs

    table = np.zeros(65536, np.int16)
    tabulate_runs(limits, table)
    return table
