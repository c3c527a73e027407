"""Other libraries at the same task, as a multiple of one slider move here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec

from explorer.bench.peers import clustering, low_rank, pruning, quantization
from explorer.bench.rows import BenchRow, Finding, Skipped
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort, alternate

PEER_BUDGET_S = 20.0
SOURCES = (
    pruning.contests,
    clustering.contests,
    low_rank.contests,
    quantization.contests,
)


def peers(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Time each peer in turn with this package, on the same weights, slow ones less often.

    Yields
    ------
    BenchRow or Skipped
        Skipped where the peer is not installed.
    """
    bounded = replace(effort, budget_s=min(effort.budget_s, PEER_BUDGET_S))
    for source in SOURCES:
        for contest in source(subject, effort):
            if find_spec(contest.package) is None:
                reason = f"package {contest.package} is not installed"
                yield Skipped(subject.name, contest.name, reason)
                continue
            peer, ours = contest.jobs()
            timings = alternate({"peer": peer, "ours": ours}, bounded)
            yield BenchRow.of(
                subject.name,
                contest.name,
                contest.measures,
                timings["peer"],
                contest.baseline,
                timings["ours"],
            )
