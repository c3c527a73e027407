"""What a long drag does to the process's memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from explorer.bench.rows import BenchRow, Finding, Skipped
from explorer.bench.subject import METHODS, Subject
from explorer.bench.timing import Effort, Timing
from explorer.compress.indexed import KEPT_PLANS
from explorer.compress.prune import Prune

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"


def growth(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Measure how much the peak of resident memory grows over many slider moves.

    Yields
    ------
    BenchRow or Skipped
        Its times are those of one move, its ratio the growth as a multiple of the
        weights' bytes.
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
