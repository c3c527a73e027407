"""Time several jobs in turn, so that their ratios come from the same moments."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes
    ----------
    n_runs : int
        Timed runs of each job, at most.
    budget_s : float
        Seconds after which no further round of jobs is begun.
    n_sample : int
        Weights that slow peers are given, at most.
    n_moves : int
        Slider moves of the memory measurement.
    """

    n_runs: int = 30
    budget_s: float = 120.0
    n_sample: int = 1_000_000
    n_moves: int = 1000


@dataclass(frozen=True)
class Job:
    """Something to time.

    Attributes
    ----------
    run : callable
        What is timed; called with what `prepare` returned.
    prepare : callable
        Called with the number of the round before each run, untimed.
    """

    run: Callable[[Any], object]
    prepare: Callable[[int], Any] = int


@dataclass(frozen=True)
class Timing:
    """Durations of one job, in the order of the rounds.

    Attributes
    ----------
    seconds : tuple of float
    """

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

    Parameters
    ----------
    jobs : mapping of str to Job
    effort : Effort
        Rounds end after its `n_runs`, or earlier where its `budget_s` is spent.

    Returns
    -------
    dict of str to Timing
        Under the names of the jobs; all with the same number of runs.
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
