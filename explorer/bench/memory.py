"""Memory of a drag, of a whole session, and shared by forked kernels."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from safetensors.torch import save_file

from explorer.bench.subject import METHODS, Subject
from explorer.bench.timing import BenchRow, Effort, Finding, Skipped, Timing
from explorer.compress.methods.prune import Prune
from explorer.compress.networks.layer import KEPT_PLANS

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"


def growth(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Measure how much the peak of resident memory grows over many slider moves.

    Yields: its times are those of one move, its ratio the growth as a multiple of the weights'
    bytes.
    """
    try:
        RESET.write_text(RESET_PEAK, encoding="ascii")
    except OSError:
        yield Skipped(subject.name, "memory", f"needs {RESET}, which this system does not offer")
        return
    for i in range(KEPT_PLANS + 1):
        for name in METHODS:
            _move(subject, name, i)
    RESET.write_text(RESET_PEAK, encoding="ascii")
    before = peak_bytes()
    names = list(METHODS)
    moves = Timing(tuple(_move(subject, names[i % len(names)], i) for i in range(effort.n_moves)))
    grown = peak_bytes() - before
    weights = sum(layer.original_bits for layer in subject.layers.values()) // 8
    yield BenchRow(
        subject.name,
        "memory",
        f"peak grew by {grown / 1e6:.1f} MB over {moves.n_runs} moves",
        moves.median_ms,
        moves.p95_ms,
        moves.n_runs,
        "the weights' bytes",
        grown / weights,
        grown / weights,
        grown,
    )


def _move(subject: Subject, method: str, i: int) -> float:
    steps = METHODS[method](i)
    if method == "Prune":
        steps = (Prune(sparsity=(i % 100) / 100),)
    started = time.perf_counter()
    subject.session.apply(list(steps))
    return time.perf_counter() - started


def peak_bytes() -> int:
    """Return the peak of this process's resident memory."""
    lines = STATUS.read_text(encoding="ascii").splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM:"))
    return 1024 * int(peak.split()[1])


PROBE = """
import sys, time
import explorer as ex
from explorer.bench.memory import peak_bytes
from explorer.compress.kernels import sorted as kernels

ex.catalog()
before = peak_bytes()
started = time.perf_counter()
net, _ = ex.load(sys.argv[1], weights=sys.argv[2])
session = ex.Session(net, device="cpu")
session.apply([ex.Prune(sparsity=0.5), ex.Share(n_clusters=32)])
for name in session.layers:
    session.close_up(name)
for i in range(10):
    session.apply([ex.Prune(sparsity=0.05 * i)])
session.close()
print(peak_bytes() - before, time.perf_counter() - started)
"""


def peak(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Measure the peak of resident memory over what the libraries take, in a process of its own.

    Yields: its ratio is the peak as a multiple of the weights' bytes: the mapped file, the working
    copy and the index together.
    """
    if not STATUS.exists():
        yield Skipped(subject.name, "memory", f"needs {STATUS}, which this system does not offer")
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_file(subject.net.state_dict(), path)
        command = [sys.executable, "-c", PROBE, subject.name, str(path)]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    grown, seconds = (float(word) for word in output.split()[-2:])
    weights = sum(layer.original_bits for layer in subject.layers.values()) // 8
    yield BenchRow(
        subject.name,
        "memory",
        f"peak of a whole session, {grown / 1e6:.0f} MB",
        1000 * seconds,
        1000 * seconds,
        1,
        "the weights' bytes",
        grown / weights,
        grown / weights,
        int(grown),
    )


MEBI = 2**20


@dataclass(frozen=True)
class Memory:
    """Proportional share (PSS) of memory, pages that processes share being divided among them.

    `total_bytes`: of the server and all that it started. `visitor_bytes`: of each kernel, a
    visitor's or one that stands ready. `private_bytes`: the part of each that it shares with
    nobody: what one more visitor takes.
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

    `pid`: the server's process. Returns: none where the system does not tell.
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
