"""Other libraries at the same task, as a multiple of one slider move here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from explorer.bench.peers import clustering, low_rank, pruning, quantization
from explorer.bench.rows import BenchRow, Finding, Skipped
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort, alternate

SOURCES = (
    pruning.contests,
    clustering.contests,
    low_rank.contests,
    quantization.contests,
)


def peers(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Time each peer in turn with this package, on the same weights.

    Yields
    ------
    BenchRow or Skipped
        Skipped where the peer is not installed.
    """
    for source in SOURCES:
        for contest in source(subject, effort):
            if find_spec(contest.package) is None:
                reason = f"package {contest.package} is not installed"
                yield Skipped(subject.name, contest.name, reason)
                continue
            peer, ours = contest.jobs()
            timings = alternate({"peer": peer, "ours": ours}, effort)
            yield BenchRow.of(
                subject.name,
                contest.name,
                contest.measures,
                timings["peer"],
                contest.baseline,
                timings["ours"],
            )
