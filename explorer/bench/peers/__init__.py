"""Other libraries at the same task, as a multiple of what it takes here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec

from explorer.bench.peers import (
    clustering,
    coding,
    low_rank,
    optimum,
    pruning,
    quantization,
    vectors,
)
from explorer.bench.subject import Subject
from explorer.bench.timing import BenchRow, Effort, Finding, Skipped, alternate

PEER_BUDGET_S = 20.0
SOURCES = (
    pruning.contests,
    clustering.contests,
    low_rank.contests,
    quantization.contests,
    vectors.contests,
)
OUTCOMES = (coding.outcomes, vectors.outcomes, optimum.outcomes)


def peers(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Time each peer in turn with this package, on the same weights, slow ones less often.

    Yields: skipped where the peer is not installed.
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


def reached(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Compare what each peer arrives at with this package: bytes, or squared errors.

    Yields: ratios above 1 where this package needs fewer bytes, or leaves less error. Skipped where
    the peer is not installed.
    """
    for source in OUTCOMES:
        for outcome in source(subject, effort):
            if find_spec(outcome.package) is None:
                reason = f"package {outcome.package} is not installed"
                yield Skipped(subject.name, outcome.name, reason)
            else:
                yield outcome.row(subject.name)
