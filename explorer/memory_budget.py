"""The memory that this process may still take, where the system holds it to a budget."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

BUDGET_VARIABLE = "EXPLORER_KERNEL_BYTES"
DATA_SIZE = re.compile(r"^VmData:\s+(\d+) kB$", re.MULTILINE)
GIBIBYTE = 1 << 30
GIGABYTE = 1_000_000_000


class NotEnoughMemory(MemoryError):
    """What is asked for does not fit into the memory that this process may use."""


def data_bytes() -> int:
    """Return the memory of this process that its budget counts; 0 where that is not known."""
    try:
        found = DATA_SIZE.search(Path("/proc/self/status").read_text("ascii", "replace"))
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def left_bytes() -> int | None:
    """Return how much more this process may take; None where nothing limits it."""
    if sys.platform == "win32":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
    if limit == resource.RLIM_INFINITY or not (used := data_bytes()):
        return None
    return max(0, limit - used)


def require(n_bytes: int, what: str, elsewhere: str) -> None:
    """Raise NotEnoughMemory unless this process may take so much more.

    `n_bytes`: an estimate, of all that is made at a time. `what`: what needs it, as the beginning
    of a sentence. `elsewhere`: Python that does the same without a budget. Raises NotEnoughMemory
    with both numbers, and where it fits.
    """
    left = left_bytes()
    if left is None or n_bytes <= left:
        return
    budget = os.environ.get(BUDGET_VARIABLE, "")
    whole = (int(budget) if budget.isdecimal() else left) + n_bytes - left
    raise NotEnoughMemory(
        f"{what} needs about {n_bytes / GIGABYTE:.1f} GB, this page may use "
        f"{left / GIGABYTE:.1f} GB more. It fits in a page of "
        f"`compression-explorer app --kernel-memory {-(-whole // GIBIBYTE)}G`, and in a notebook "
        f"of your own: {elsewhere}"
    )
