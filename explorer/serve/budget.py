"""Holding a kernel to its memory: the system refuses what goes beyond.

The limit is on a process's private memory that can be written (RLIMIT_DATA), which Linux counts
for all that is allocated, and not for files that are mapped to be read, such as weights. A forked
kernel begins with what it shares with the others, so its budget counts from there.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping

from explorer.room import BUDGET_VARIABLE, data_bytes

__all__ = ["STARTED_BYTES", "bytes_of", "hold", "hold_self"]

STARTED_BYTES = 560 * 2**20
LEAST_BYTES = 256 * 2**20
AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", re.IGNORECASE)
UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def bytes_of(text: str) -> int:
    """Read an amount of memory.

    Raises
    ------
    ValueError
        If it is none, or less than a page needs.

    Examples
    --------
    >>> bytes_of("1.5G") == 1536 * 2**20 == bytes_of("1536M")
    True
    """
    found = AMOUNT.fullmatch(text.strip()) if len(text) < 20 else None
    amount = int(float(found[1]) * 1024 ** UNITS[found[2].upper()]) if found else 0
    if amount < LEAST_BYTES:
        raise ValueError(
            f"kernel-memory must be an amount of at least {LEAST_BYTES >> 20}M, such as 900M or "
            f"6G; got {text!r:.40}"
        )
    return amount


def hold_self(environment: Mapping[str, str]) -> None:
    """Hold this process to its budget, on top of what it has now; for good."""
    budget = environment.get(BUDGET_VARIABLE, "")
    if budget.isdecimal() and (used := data_bytes()):
        _limit(0, used + int(budget))


def hold(pid: int | None, environment: Mapping[str, str]) -> None:
    """Hold a process that was started just now to its budget, on top of what it will import."""
    budget = environment.get(BUDGET_VARIABLE, "")
    if pid and budget.isdecimal() and sys.platform == "linux":
        _limit(pid, STARTED_BYTES + int(budget))


def _limit(pid: int, most: int) -> None:
    import resource

    had = resource.prlimit(pid, resource.RLIMIT_DATA)[1]
    if had != resource.RLIM_INFINITY:
        most = min(most, had)
    resource.prlimit(pid or os.getpid(), resource.RLIMIT_DATA, (most, most))
