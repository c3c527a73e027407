"""A class at the same time: everyone gets in, some drag, and what that takes."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil

from explorer.bench.hosted import Hosted, hosted
from explorer.bench.memory import MEBI, Memory, used_by
from explorer.bench.timing import BenchRow, Timing
from explorer.bench.visitor import NotAdmitted, Visitor

__all__ = ["ClassHour", "measure_class", "rows"]

DIAL, FIGURES = "ex-dial-sparsity", "ex-strip"
N_DRAGGING = 5
DRAG_SECONDS = 5.0
HAND_SECONDS = 1 / 60
STRETCH = (5.0, 95.0)
STEP = 0.5
NETWORK = "lenet-300-100"
TARGETS_S = {"from a dial's move to new figures": 0.3}
TARGET_BYTES = 10 * 10**9
SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class ClassHour:
    """What was seen.

    `n_visitors`: those who got in. `n_wanted`: those who wanted to, all at once. `entered_s`:
    seconds from asking for the page to knowing its widgets, of each. `answered_s`, `done_s`:
    seconds from moving a dial to the new figures, and until the kernel was ready for the next move.
    `one_too_many`: what the visitor beyond the limit was answered. `memory`: none where the system
    does not tell.
    """

    n_visitors: int
    n_wanted: int
    entered_s: tuple[float, ...]
    answered_s: tuple[float, ...]
    done_s: tuple[float, ...]
    one_too_many: str
    memory: Memory | None


def measure_class(
    n_visitors: int,
    seconds: float = 60.0,
    n_ready: int = 1,
    tell: Callable[[str], object] = sys.stdout.write,
) -> ClassHour:
    """Run a server for a class, let everyone in at once, and let some drag a dial in turn.

    `n_visitors`: how many there are; the server has room for just as many. `seconds`: how long five
    at a time drag the sparsity dial, each for five seconds, as fast as the answers come and at most
    60 times a second. `n_ready`: pages that the server makes in advance. `tell`: called with lines
    of text.
    """
    with hosted(max_kernels=n_visitors, n_ready=n_ready) as server:
        return asyncio.run(_hour(server, n_visitors, seconds, tell))


async def _hour(
    server: Hosted, n_visitors: int, seconds: float, tell: Callable[[str], object]
) -> ClassHour:
    await _until_forking(server.pid)
    found = await asyncio.gather(
        *(Visitor.enter(server.page) for _ in range(n_visitors)), return_exceptions=True
    )
    visitors = [each for each in found if isinstance(each, Visitor)]
    entered = tuple(sorted(each.ready_seconds for each in visitors))
    tell(f"{len(visitors)} of {n_visitors} got in, all asking at once: {_spread(entered)}\n")
    for problem in {repr(each) for each in found if isinstance(each, BaseException)}:
        tell(f"not let in: {problem}\n")
    one_too_many = await _one_too_many(server)
    tell(f"one more is answered: {one_too_many}\n")
    moves = await _drag(visitors, seconds)
    answered, done = ([move[i] for move in moves] for i in (0, 1))
    tell(
        f"{N_DRAGGING} at a time dragging for {seconds:.0f} s, {len(moves)} moves: "
        f"dial to new figures {_spread(answered)}; ready for the next move {_spread(done)}\n"
    )
    memory = used_by(server.pid)
    if memory is not None:
        tell(memory.words)
    for each in visitors:
        await each.leave()
    return ClassHour(
        len(visitors), n_visitors, entered, tuple(answered), tuple(done), one_too_many, memory
    )


async def _until_forking(pid: int) -> None:
    """Wait until the server has a page ready, or a while: a class comes to a running server."""
    for _ in range(60):
        if len(psutil.Process(pid).children(recursive=True)) >= 2:
            break
        await asyncio.sleep(0.5)
    await asyncio.sleep(SETTLE_SECONDS)


async def _one_too_many(server: Hosted) -> str:
    try:
        visitor = await Visitor.enter(server.page)
    except NotAdmitted as refusal:
        return f"{refusal.status}, Retry-After {refusal.retry_after} s"
    await visitor.leave()
    return "with a page"


async def _drag(visitors: Sequence[Visitor], seconds: float) -> list[tuple[float, float]]:
    """Let groups of visitors drag in turn."""
    end = time.perf_counter() + seconds
    waiting = itertools.cycle(visitors)
    moves: list[tuple[float, float]] = []
    while visitors and (left := end - time.perf_counter()) > 0:
        group = list(itertools.islice(waiting, min(N_DRAGGING, len(visitors))))
        turns = (_one_drag(each, min(DRAG_SECONDS, left)) for each in group)
        for found in await asyncio.gather(*turns):
            moves += found
    return moves


async def _one_drag(visitor: Visitor, seconds: float) -> list[tuple[float, float]]:
    dial, figures = visitor.find(DIAL), visitor.find(FIGURES)
    low, high = STRETCH
    n_steps = int((high - low) / STEP)
    moves: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds
    for i in itertools.count():
        started = time.perf_counter()
        if started >= end:
            return moves
        there = i % (2 * n_steps)
        value = low + STEP * min(there, 2 * n_steps - there)
        moves.append(await visitor.turn(dial, value, figures))
        await asyncio.sleep(max(0.0, HAND_SECONDS - (time.perf_counter() - started)))
    return moves


def _spread(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "too few to tell"
    in_ms = [1000 * each for each in seconds]
    p95 = statistics.quantiles(in_ms, n=20, method="inclusive")[-1]
    return f"median {statistics.median(in_ms):,.0f} ms, 95th percentile {p95:,.0f} ms"


def rows(hour: ClassHour) -> list[BenchRow]:
    """Return the figures as rows of the benchmark's table; ratios are to what is aimed at."""
    name = f"class of {hour.n_wanted}"
    measured = {
        "getting in, all at once": hour.entered_s,
        "from a dial's move to new figures": hour.answered_s,
        "from a dial's move to the next one": hour.done_s,
    }
    found = [_row(name, words, seconds) for words, seconds in measured.items() if seconds]
    if hour.memory is not None and found:
        mean = statistics.mean(hour.memory.visitor_bytes)
        found.append(_memory_row(name, hour.memory, mean))
    return found


def _row(name: str, words: str, seconds: Sequence[float]) -> BenchRow:
    timing = Timing(tuple(seconds))
    target = TARGETS_S.get(words)
    ratio = timing.p95_ms / (1000 * target) if target else 1.0
    against = f"{target:g} s, 95th percentile" if target else "itself"
    return BenchRow(
        NETWORK, name, words, timing.median_ms, timing.p95_ms, timing.n_runs, against, ratio, ratio
    )


def _memory_row(name: str, memory: Memory, mean: float) -> BenchRow:
    n = len(memory.visitor_bytes)
    ratio = memory.total_bytes / TARGET_BYTES
    words = f"memory of {n} kernels and the server, {mean / MEBI:,.0f} MiB a kernel"
    total = memory.total_bytes
    return BenchRow(NETWORK, name, words, 0.0, 0.0, n, "10 GB", ratio, ratio, total)
