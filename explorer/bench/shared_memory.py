"""What a server and its kernels take of memory, pages that they share being divided among them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["MEBI", "Memory", "used_by"]

MEBI = 2**20


@dataclass(frozen=True)
class Memory:
    """Proportional share (PSS) of memory, pages that processes share being divided among them.

    Attributes
    ----------
    total_bytes : int
        Of the server and all that it started.
    visitor_bytes : tuple of int
        Of each kernel, a visitor's or one that stands ready.
    private_bytes : tuple of int
        The part of each that it shares with nobody: what one more visitor takes.
    """

    total_bytes: int
    visitor_bytes: tuple[int, ...]
    private_bytes: tuple[int, ...]

    @property
    def words(self) -> str:
        """All of it in a line of text."""
        kernels, private = self.visitor_bytes, self.private_bytes
        mean, most = statistics.mean(kernels) / MEBI, max(kernels) / MEBI
        return (
            f"memory (PSS): {self.total_bytes / MEBI:,.0f} MiB in all; {len(kernels)} kernels of "
            f"{mean:,.0f} MiB on average, {most:,.0f} MiB at most, "
            f"{statistics.mean(private) / MEBI:,.0f} MiB of it private\n"
        )


def used_by(pid: int) -> Memory | None:
    """Return what a server takes, and all that it started.

    Parameters
    ----------
    pid : int
        The server's process.

    Returns
    -------
    Memory or None
        None where the system does not tell.
    """
    server = psutil.Process(pid)
    below = server.children(recursive=True)
    shares = {each.pid: _shares(each.pid) for each in [server, *below]}
    kernels = [shares[each.pid] for each in below if not _forks_others(each, pid)]
    known = [each for each in kernels if each is not None]
    if not known or None in shares.values():
        return None
    return Memory(
        sum(each[0] for each in shares.values() if each is not None),
        tuple(pss for pss, _ in known),
        tuple(private for _, private in known),
    )


def _forks_others(process: psutil.Process, server: int) -> bool:
    return process.ppid() == server and "explorer.serve.zygote" in process.cmdline()


def _shares(pid: int) -> tuple[int, int] | None:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return None
    kilobytes = {name.rstrip(":"): int(amount) for name, amount, *_ in map(str.split, lines)}
    return 1024 * kilobytes["Pss"], 1024 * (kilobytes["Private_Clean"] + kilobytes["Private_Dirty"])
