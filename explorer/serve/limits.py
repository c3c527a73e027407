"""How many visitors a machine's memory has room for, and the budget of each kernel."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from explorer.memory_budget import BUDGET_VARIABLE, data_bytes

STARTED_BYTES = 560 * 2**20
LEAST_BYTES = 256 * 2**20
AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", re.IGNORECASE)
UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def bytes_of(text: str) -> int:
    """Read an amount of memory.

    Raises ValueError if it is none, or less than a page needs.

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

    `memory`: in bytes; a fifth of it is left alone. `forked`: whether the kernels share what they
    have imported.

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

    `memory`: the machine's, in bytes; a fifth of it is left alone. `most`: how many visitors there
    may be. Returns: an equal part for each; where that is less than a gibibyte, a gibibyte, since
    few visitors need theirs at the same time, but never more than half of what there is.

    Examples
    --------
    >>> kernel_bytes(16 * 2**30, 1) // 2**20, kernel_bytes(16 * 2**30, 62) // 2**20
    (12407, 1024)
    """
    usable = max(0, int(SHARE * memory) - SERVER_BYTES)
    return max(usable // most, min(LEAST_KERNEL_BYTES, usable // 2), LEAST_BYTES)
