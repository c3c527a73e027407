"""Means over a grid laid on a matrix, small enough to be drawn cell by cell."""

from __future__ import annotations

import numpy as np

GRID_ROWS, GRID_COLUMNS = 128, 256


def pooled(matrix: np.ndarray) -> np.ndarray:
    """Average a matrix over a grid of at most 128 x 256 cells.

    Parameters
    ----------
    matrix : ndarray, shape (rows, columns), float32

    Returns
    -------
    ndarray, shape (min(rows, 128), min(columns, 256)), float32
        Cells are as equal in size as whole rows and columns allow.
    """
    for axis, limit in enumerate((GRID_ROWS, GRID_COLUMNS)):
        size = matrix.shape[axis]
        if size <= limit:
            continue
        starts = np.linspace(0, size, limit + 1).astype(int)
        shape = (-1, 1) if axis == 0 else (1, -1)
        matrix = np.add.reduceat(matrix, starts[:-1], axis) / np.diff(starts).reshape(shape)
    return matrix.astype(np.float32)
