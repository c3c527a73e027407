"""One peer against this package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from explorer.bench.timing import Job


@dataclass(frozen=True)
class Contest:
    """A task that a peer and this package both do.

    Attributes
    ----------
    name : str
        The peer's name.
    package : str
        The module that it needs.
    measures : str
        The task, in words, with the number of weights where it is not all of them.
    baseline : str
        What this package does for it.
    jobs : callable
        Returns the peer's job and ours; called only where the peer is installed.
    """

    name: str
    package: str
    measures: str
    baseline: str
    jobs: Callable[[], tuple[Job, Job]]
