"""One peer against this package: a contest and its outcome."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from explorer.bench.timing import BenchRow, Job


@dataclass(frozen=True)
class Outcome:
    """A figure that a peer and this package both reach; less is better.

    `name`: the peer's name. `package`: the module that it needs. `measures`: the figure, in words,
    with the number of weights. `baseline`: what this package does for it. `peer`, `ours`: return
    the figure; called only where the peer is installed.
    """

    name: str
    package: str
    measures: str
    baseline: str
    peer: Callable[[], float]
    ours: Callable[[], float]

    def row(self, network: str) -> BenchRow:
        """Find both figures: the ratio is that of the peer's to ours, the time the peer's."""
        started = time.perf_counter()
        theirs = self.peer()
        duration_ms = 1000 * (time.perf_counter() - started)
        ours = self.ours()
        ratio = theirs / ours if ours else float(theirs == 0)
        return BenchRow(
            network,
            self.name,
            f"{self.measures}: {theirs:,.7g}",
            duration_ms,
            duration_ms,
            1,
            f"{self.baseline}: {ours:,.7g}",
            ratio,
            ratio,
        )


@dataclass(frozen=True)
class Contest:
    """A task that a peer and this package both do.

    `name`: the peer's name. `package`: the module that it needs. `measures`: the task, in words,
    with the number of weights where it is not all of them. `baseline`: what this package does for
    it. `jobs`: returns the peer's job and ours; called only where the peer is installed.
    """

    name: str
    package: str
    measures: str
    baseline: str
    jobs: Callable[[], tuple[Job, Job]]
