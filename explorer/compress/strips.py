"""Matrices cut into strips of columns, and put together again."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


def cut_strips(matrix: Tensor, n_strips: int) -> Tensor:
    """Cut the columns of a matrix into strips, the wider ones first.

    Parameters
    ----------
    matrix : Tensor, shape (m, n)
    n_strips : int
        From 1 to n.

    Returns
    -------
    Tensor, shape (n_strips, m, ceil(n / n_strips))
        Where strips are narrower by one, their last column is zero.
    """
    m, n = matrix.shape
    width, n_wide = -(-n // n_strips), n % n_strips
    if not n_wide:
        return matrix.reshape(m, n_strips, width).transpose(0, 1)
    wide = matrix[:, : n_wide * width].reshape(m, n_wide, width)
    narrow = matrix[:, n_wide * width :].reshape(m, n_strips - n_wide, width - 1)
    return torch.cat([wide, pad(narrow, (0, 1))], 1).transpose(0, 1)


def join_strips(strips: Tensor, n_columns: int) -> Tensor:
    """Put strips together again: the inverse of `cut_strips`.

    Parameters
    ----------
    strips : Tensor, shape (n_strips, m, width)
    n_columns : int

    Returns
    -------
    Tensor, shape (m, n_columns)
    """
    n_strips, m, width = strips.shape
    n_wide, rows = n_columns % n_strips, strips.transpose(0, 1)
    if not n_wide:
        return rows.reshape(m, n_columns)
    wide, narrow = rows[:, :n_wide], rows[:, n_wide:, : width - 1]
    return torch.cat([wide.reshape(m, n_wide * width), narrow.flatten(1)], 1)
