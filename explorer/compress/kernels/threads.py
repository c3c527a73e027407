"""Run a loop that releases the interpreter lock over chunks of an array, on all cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch

MIN_CHUNK = 65_536
T = TypeVar("T")


@cache
def _pool(n_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads, thread_name_prefix="compress")


def over_chunks(size: int, work: Callable[[slice], T]) -> list[T]:
    """Call ``work(part)`` for even parts of a flat array, side by side.

    `size`: entries of the array; there are as many parts as torch has threads, one for a small
    array. `work`: must release the interpreter lock to gain from this. Returns: what the calls
    returned, in order of the parts.
    """
    n_parts = max(1, min(torch.get_num_threads(), size // MIN_CHUNK))
    bounds = np.linspace(0, size, n_parts + 1).astype(int)
    parts = [slice(int(a), int(b)) for a, b in pairwise(bounds)]
    return [work(parts[0])] if n_parts == 1 else list(_pool(n_parts).map(work, parts))
