"""Figures and views of a new value, with no weight rewritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from explorer.bench.rows import BenchRow, Finding
from explorer.bench.subject import METHODS, Subject
from explorer.bench.timing import Effort, Job, alternate
from explorer.compress.recipe import Steps

COPYING = "copying the weights"
SMALL = "lenet-5"


def whole_network(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Draw up the figures of all layers for a new value of each method.

    Yields
    ------
    BenchRow
        Baseline: copying the weights.
    """
    jobs = {COPYING: Job(lambda _: subject.copy())}
    jobs |= {name: _figures(subject, steps) for name, steps in METHODS.items()}
    timings = alternate(jobs, effort)
    for name in METHODS:
        yield BenchRow.of(
            subject.name,
            f"{name}, all layers",
            "figures only",
            timings[name],
            COPYING,
            timings[COPYING],
        )


def on_screen(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Take up a new value for the largest layer, and draw up what the views show of it.

    Yields
    ------
    BenchRow
        Baseline: the same for the largest layer of the network `SMALL`.
    """
    small = Subject.load(SMALL)
    baseline = f"the same, layer {small.largest} of {SMALL}"
    for name, steps in METHODS.items():
        jobs = {"mine": _close_up(subject, steps), "theirs": _close_up(small, steps)}
        timings = alternate(jobs, effort)
        yield BenchRow.of(
            subject.name,
            f"{name}, layer {subject.largest}",
            "figures + views",
            timings["mine"],
            baseline,
            timings["theirs"],
        )
    small.close()


def _figures(subject: Subject, steps: Callable[[int], Steps]) -> Job:
    def prepare(i: int) -> list:
        subject.forget()
        return list(steps(i))

    return Job(subject.session.figures, prepare)


def _close_up(subject: Subject, steps: Callable[[int], Steps]) -> Job:
    session, layer = subject.session, subject.largest

    def prepare(i: int) -> dict[str, Steps]:
        subject.forget()
        return {layer: steps(i)}

    def run(recipe: dict[str, Steps]) -> None:
        session.submit(recipe)
        session.close_up(layer)

    return Job(run, prepare)
