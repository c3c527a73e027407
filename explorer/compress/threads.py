"""Run a loop that releases the interpreter lock over chunks of an array, on all cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import numpy as np
import torch

MIN_CHUNK = 65_536


@cache
def _pool(n_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads, thread_name_prefix="compress")


def in_chunks(
    loop: Callable[[np.ndarray, np.ndarray], object], source: np.ndarray, out: np.ndarray
) -> list:
    """Call ``loop(source_chunk, out_chunk)`` for even chunks of two flat arrays.

    Parameters
    ----------
    loop : callable
        Must release the interpreter lock to gain from this.
    source, out : ndarray, shape (n,)
        Split alike, into as many chunks as torch has threads.

    Returns
    -------
    list
        What the calls returned, in order of the chunks.
    """
    n_chunks = max(1, min(torch.get_num_threads(), source.size // MIN_CHUNK))
    if n_chunks == 1:
        return [loop(source, out)]
    bounds = np.linspace(0, source.size, n_chunks + 1).astype(int)
    pairs = [(source[a:b], out[a:b]) for a, b in pairwise(bounds)]
    return list(_pool(n_chunks).map(lambda pair: loop(*pair), pairs))
