"""Jobs timed in turn, their rows and table, and what of the machine bears on them."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import torch


def machine() -> dict[str, Any]:
    """Describe the machine and the libraries that the figures depend on.

    Returns: ready for JSON: cores, threads of torch, kind of processor, and versions.
    """
    return {
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "system": platform.system(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


@dataclass(frozen=True)
class BenchRow:
    """One measured figure.

    `network`: name of the network. `name`: what was run. `measures`: what of it the figures cover,
    in words. `median_ms`, `p95_ms`: duration of a run, in milliseconds. `n_runs`: timed runs.
    `baseline`: what `ratio` compares with. `ratio`: how many times the baseline this took, run for
    run; the median. `best_ratio`: the same of the shortest run of each, which other programs
    disturb least. `growth_bytes`: growth of the process's memory, where that is what `ratio` is
    about.
    """

    network: str
    name: str
    measures: str
    median_ms: float
    p95_ms: float
    n_runs: int
    baseline: str
    ratio: float
    best_ratio: float
    growth_bytes: int | None = None

    @classmethod
    def of(
        cls,
        network: str,
        name: str,
        measures: str,
        timing: Timing,
        baseline: str,
        baseline_timing: Timing,
    ) -> BenchRow:
        """Make the row of a job that was timed in turn with its baseline."""
        return cls(
            network,
            name,
            measures,
            timing.median_ms,
            timing.p95_ms,
            timing.n_runs,
            baseline,
            timing.over(baseline_timing),
            timing.best_over(baseline_timing),
        )


@dataclass(frozen=True)
class Skipped:
    """A measurement that was not made.

    `network`, `name`: as in `BenchRow`. `reason`: why not, in words.
    """

    network: str
    name: str
    reason: str


Finding = BenchRow | Skipped


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    `n_runs`: timed runs of each job, at most. `budget_s`: seconds after which no further round of
    jobs is begun. `n_sample`: weights that slow peers are given, at most. `n_moves`: slider moves
    of the memory measurement.
    """

    n_runs: int = 30
    budget_s: float = 120.0
    n_sample: int = 1_000_000
    n_moves: int = 1000


@dataclass(frozen=True)
class Job:
    """Something to time.

    `run`: what is timed; called with what `prepare` returned. `prepare`: called with the number of
    the round before each run, untimed.
    """

    run: Callable[[Any], object]
    prepare: Callable[[int], Any] = int


@dataclass(frozen=True)
class Timing:
    """Durations of one job, in the order of the rounds."""

    seconds: tuple[float, ...]

    @property
    def n_runs(self) -> int:
        """Number of timed runs."""
        return len(self.seconds)

    @property
    def median_ms(self) -> float:
        """The middle duration, in milliseconds."""
        return 1000 * float(np.median(self.seconds))

    @property
    def p95_ms(self) -> float:
        """The duration that one run in twenty exceeds, in milliseconds."""
        return 1000 * float(np.percentile(self.seconds, 95))

    def over(self, other: Timing) -> float:
        """Return the median, over the rounds, of this duration as a multiple of `other`'s."""
        pairs = zip(self.seconds, other.seconds, strict=True)
        return float(np.median([mine / theirs for mine, theirs in pairs]))

    def best_over(self, other: Timing) -> float:
        """Return the shortest duration as a multiple of `other`'s shortest.

        Other programs that run meanwhile only ever add to a duration, so that this
        ratio suffers least from them.
        """
        return min(self.seconds) / min(other.seconds)


def alternate(jobs: Mapping[str, Job], effort: Effort) -> dict[str, Timing]:
    """Run all jobs once a round, and time each run.

    The first round warms up and is not counted. There is always a second one.

    `effort`: rounds end after its `n_runs`, or earlier where its `budget_s` is spent. Returns:
    under the names of the jobs; all with the same number of runs.
    """
    rounds: list[list[float]] = []
    started = time.perf_counter()
    while len(rounds) < 2 or (
        len(rounds) <= effort.n_runs and time.perf_counter() - started < effort.budget_s
    ):
        rounds.append([_timed(job, len(rounds)) for job in jobs.values()])
    columns = zip(*rounds[1:], strict=True)
    return {name: Timing(seconds) for name, seconds in zip(jobs, columns, strict=True)}


def _timed(job: Job, number: int) -> float:
    prepared = job.prepare(number)
    started = time.perf_counter()
    job.run(prepared)
    return time.perf_counter() - started


HEADINGS = ("ratio", "best", "median ms", "p95 ms", "n", "measured", "as a multiple of")
N_NUMBERS = 5


def table(findings: Iterable[Finding]) -> str:
    """Lay findings out in columns, ratios first.

    Returns: lines that end in a newline; what was skipped comes last, with the reason.
    """
    findings = list(findings)
    lines = [_cells(row) for row in findings if isinstance(row, BenchRow)]
    if lines:
        lines.insert(0, HEADINGS)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [
        "  ".join(
            cell.rjust(width) if i < N_NUMBERS else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        for cells in lines
    ]
    text += [f"skipped: {x.name}: {x.reason}" for x in findings if not isinstance(x, BenchRow)]
    return "".join(f"{line.rstrip()}\n" for line in text)


def _cells(row: BenchRow) -> tuple[str, ...]:
    measured = f"{row.name}: {row.measures}" if row.measures else row.name
    return (
        _number(row.ratio),
        _number(row.best_ratio),
        _number(row.median_ms),
        _number(row.p95_ms),
        str(row.n_runs),
        measured,
        row.baseline,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
