"""What a measurement found."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.bench.timing import Timing


@dataclass(frozen=True)
class BenchRow:
    """One measured figure.

    Attributes
    ----------
    network : str
        Name of the network.
    name : str
        What was run.
    measures : str
        What of it the figures cover, in words.
    median_ms, p95_ms : float
        Duration of a run, in milliseconds.
    n_runs : int
        Timed runs.
    baseline : str
        What `ratio` compares with.
    ratio : float
        How many times the baseline this took, run for run; the median.
    best_ratio : float
        The same of the shortest run of each, which other programs disturb least.
    growth_bytes : int or None
        Growth of the process's memory, where that is what `ratio` is about.
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

    Attributes
    ----------
    network, name : str
        As in `BenchRow`.
    reason : str
        Why not, in words.
    """

    network: str
    name: str
    reason: str


Finding = BenchRow | Skipped
