"""Some of many, evenly chosen, where a figure has no room for all."""

from __future__ import annotations

import numpy as np


def evenly(count: int, most: int) -> np.ndarray:
    """Choose positions from the first to the last, as far apart as whole numbers allow.

    `count`: how many there are. `most`: how many to choose at most. Returns: shape (min(count,
    most),), int64; ascending, each once.

    Examples
    --------
    >>> evenly(9, 3).tolist(), evenly(2, 3).tolist()
    ([0, 4, 8], [0, 1])
    """
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)
