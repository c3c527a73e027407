"""How many visitors a machine's memory has room for."""

from __future__ import annotations

import os
from pathlib import Path

from explorer.serve.budget import LEAST_BYTES

__all__ = ["SERVER_BYTES", "VISITOR_BYTES", "kernel_bytes", "memory_bytes", "most_visitors"]

SERVER_BYTES = 700 * 2**20
VISITOR_BYTES = {True: 200 * 2**20, False: 420 * 2**20}
SHARE = 0.8
CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
LEAST_KERNEL_BYTES = 2**30
ASSUMED_BYTES = 4 * 2**30


def memory_bytes() -> int:
    """Return the memory that this process may use: the machine's, or its container's."""
    found = [_machine_bytes()]
    for path in CGROUP_LIMITS:
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdecimal():
            found.append(int(text))
    return min(found)


def _machine_bytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return ASSUMED_BYTES


def most_visitors(memory: int, forked: bool) -> int:
    """Return how many visitors fit into memory, at least one.

    Parameters
    ----------
    memory : int
        In bytes; a fifth of it is left alone.
    forked : bool
        Whether the kernels share what they have imported.

    Returns
    -------
    int

    Examples
    --------
    >>> most_visitors(2 * 2**30, forked=True)
    4
    >>> most_visitors(16 * 2**30, forked=True)
    62
    """
    return max(1, int((SHARE * memory - SERVER_BYTES) // VISITOR_BYTES[forked]))


def kernel_bytes(memory: int, most: int) -> int:
    """Return how much memory each kernel may take, beyond what is imported.

    Parameters
    ----------
    memory : int
        The machine's, in bytes; a fifth of it is left alone.
    most : int
        How many visitors there may be.

    Returns
    -------
    int
        An equal part for each; where that is less than a gibibyte, a gibibyte, since few visitors
        need theirs at the same time, but never more than half of what there is.

    Examples
    --------
    >>> kernel_bytes(16 * 2**30, 1) // 2**20, kernel_bytes(16 * 2**30, 62) // 2**20
    (12407, 1024)
    """
    usable = max(0, int(SHARE * memory) - SERVER_BYTES)
    return max(usable // most, min(LEAST_KERNEL_BYTES, usable // 2), LEAST_BYTES)
