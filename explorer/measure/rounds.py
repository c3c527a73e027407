"""Time several jobs in turn, within a budget, so that their ratios come from the same moments."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

Stop = Callable[[], bool]


def never() -> bool:
    """Return False: nothing asks to stop."""
    return False


def timed_rounds(
    jobs: Mapping[str, Callable[[], object]],
    n_runs: int,
    budget_s: float,
    should_stop: Stop = never,
) -> dict[str, np.ndarray]:
    """Run all jobs once a round, every other round in reverse order, and time each run.

    A first round warms up and is not counted.

    `n_runs`: rounds at most, from 1 up. `budget_s`: seconds after the warm-up when no further round
    is begun; one is run in any case. `should_stop`: asked before each run; where it returns True,
    the round under way is dropped. Returns: seconds of each run, under the names of the jobs; empty
    where it was stopped before the first round was complete. Raises ValueError if `n_runs` is below
    1.
    """
    if not isinstance(n_runs, int) or n_runs < 1:
        raise ValueError(f"n_runs: expected a whole number from 1 up, got {n_runs!r}")
    rounds: list[dict[str, float]] = []
    finished = _one_round(jobs, should_stop)
    started = time.perf_counter()
    while finished is not None and len(rounds) < n_runs:
        if rounds and time.perf_counter() - started >= budget_s:
            break
        order = reversed(list(jobs)) if len(rounds) % 2 else list(jobs)
        finished = _one_round({name: jobs[name] for name in order}, should_stop)
        if finished is not None:
            rounds.append(finished)
    return {name: np.array([seconds[name] for seconds in rounds]) for name in jobs}


def _one_round(
    jobs: Mapping[str, Callable[[], object]], should_stop: Stop
) -> dict[str, float] | None:
    seconds = {}
    for name, job in jobs.items():
        if should_stop():
            return None
        started = time.perf_counter()
        job()
        seconds[name] = time.perf_counter() - started
    return seconds
