"""Rewriting weights, as a multiple of copying them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from explorer.bench.rows import BenchRow, Finding
from explorer.bench.subject import METHODS, Subject
from explorer.bench.timing import Effort, Job, alternate
from explorer.compress.plan import Plan
from explorer.compress.prune import Prune
from explorer.compress.recipe import Steps

COPYING = "copying the weights"


def all_layers(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Recompress the whole network, with every layer rewritten.

    Yields
    ------
    BenchRow
        For each method: writing alone, the plans being there; and figures and writing
        together, as `Session.apply` does them. Baseline: copying the same weights,
        layer by layer, between two kept buffers.
    """
    jobs = {COPYING: Job(lambda _: subject.copy())}
    for name, steps in METHODS.items():
        jobs[f"{name}, all layers: rewrite only"] = _rewrite(subject, steps)
        jobs[f"{name}, all layers: figures + rewrite"] = _apply(subject, steps)
    yield from _rows(subject, jobs, effort)


def one_layer(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Change the largest layer alone.

    Yields
    ------
    BenchRow
        Figures of the whole network and the rewriting of that layer; the other
        layers stay pruned to one half. Baseline: copying that layer's weights.
    """
    layer = subject.largest
    jobs = {COPYING: Job(lambda _: subject.copy(layer))}
    for name, steps in METHODS.items():
        jobs[f"{name}, layer {layer} alone: figures + rewrite"] = _apply_to(subject, layer, steps)
    yield from _rows(subject, jobs, effort)


def _rows(subject: Subject, jobs: Mapping[str, Job], effort: Effort) -> Iterator[Finding]:
    timings = alternate(jobs, effort)
    copying = timings.pop(COPYING)
    for label, timing in timings.items():
        name, _, measures = label.partition(": ")
        yield BenchRow.of(subject.name, name, measures, timing, COPYING, copying)


def _rewrite(subject: Subject, steps: Callable[[int], Steps]) -> Job:
    def prepare(i: int) -> dict[str, Plan]:
        return {name: layer.plan(steps(i)) for name, layer in subject.layers.items()}

    def run(plans: Mapping[str, Plan]) -> None:
        for name, plan in plans.items():
            plan.write(subject.layers[name].source, subject.kept[name])

    return Job(run, prepare)


def _apply(subject: Subject, steps: Callable[[int], Steps]) -> Job:
    def prepare(i: int) -> list:
        subject.forget()
        return list(steps(i))

    return Job(subject.session.apply, prepare)


def _apply_to(subject: Subject, layer: str, steps: Callable[[int], Steps]) -> Job:
    others = (Prune(sparsity=0.5),)

    def prepare(i: int) -> dict[str, Steps]:
        subject.forget()
        subject.session.apply({"*": others})
        return {layer: steps(i), "*": others}

    return Job(subject.session.apply, prepare)
