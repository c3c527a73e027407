"""Where in a layer's matrix the compressed weights differ from the original ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.measure.grid import pooled


@dataclass(frozen=True)
class ErrorMap:
    """Mean absolute error over a grid laid on a layer's matrix.

    Attributes
    ----------
    values : ndarray, shape (n_rows, n_columns), float32
        Mean of ``|W - W'|`` in each cell.
    scale : float
        The error that is drawn in full color, in the weights' own unit.
    relative_error : float
        ``||W - W'|| / ||W||`` (Frobenius) of the whole layer.
    shape : tuple of int
        (rows, columns) of the whole matrix.
    stride : int
        1 where every weight was looked at; s where one in s was.
    """

    values: np.ndarray
    scale: float
    relative_error: float
    shape: tuple[int, int]
    stride: int = 1


def error_map(
    original: np.ndarray,
    restored: np.ndarray,
    shape: tuple[int, int] | None = None,
    relative_error: float | None = None,
    stride: int = 1,
) -> ErrorMap:
    """Lay a grid of at most 128 x 256 cells on the difference of two matrices.

    Full color stands for an error as large as the typical weight: the root of the mean
    square of `original`, so that the scale stays where it is while a dial moves.

    Parameters
    ----------
    original, restored : ndarray, shape (rows, columns), float32
        The same part of the matrix before and after compression.
    shape : tuple of int, optional
        (rows, columns) of the whole matrix; that of `original` where it is all.
    relative_error : float, optional
        Of the whole layer; that of the part where it is not known.
    stride : int
        One weight in so many is in the part.

    Raises
    ------
    ValueError
        If the two do not have the same shape, or have none.
    """
    if original.shape != restored.shape or original.ndim != 2 or not original.size:
        raise ValueError(
            f"original and restored must be matrices of one shape, got {original.shape} "
            f"and {restored.shape}: take the same rows and columns of both"
        )
    original = original.astype(np.float64)
    difference = np.abs(original - restored)
    norm = float(np.linalg.norm(original))
    if relative_error is None:
        relative_error = float(np.linalg.norm(difference)) / norm if norm else 0.0
    scale = norm / original.size**0.5 or 1.0
    n_rows, n_columns = shape or original.shape
    drawn = pooled(np.minimum(difference, np.finfo(np.float32).max))
    return ErrorMap(drawn, scale, relative_error, (n_rows, n_columns), stride)
