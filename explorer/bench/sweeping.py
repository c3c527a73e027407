"""What a point of a sweep costs, and what more workers gain."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack

import torch

import explorer
from explorer.bench.rows import BenchRow, Finding, Skipped
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort, Job, alternate
from explorer.compress.prune import Prune
from explorer.compress.recipe import Recipe
from explorer.compress.share import Share
from explorer.sweep.run import sweep
from explorer.sweep.workers import WorkerProcesses, n_cores

N_RECIPES = 8
PLAIN = "a loop of compress, restore and evaluate over the same recipes, one core"


def cost(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Time a whole sweep on one core against a plain loop over its recipes.

    Yields
    ------
    BenchRow
        Milliseconds of all recipes; `n_runs` sweeps, each of recipes never met before.
    """
    what = "bytes and accuracy" if subject.data is not None else "bytes"
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as one:
            jobs = {"sweep": _sweep(subject, one), "loop": _loop(subject)}
            timings = alternate(jobs, effort)
    finally:
        torch.set_num_threads(before)
    measures = f"{N_RECIPES} points, {what}, indexing included"
    yield BenchRow.of(subject.name, "sweep", measures, timings["sweep"], PLAIN, timings["loop"])


def scaling(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Time a sweep on two workers against the same on one: threads, then processes.

    Yields
    ------
    BenchRow or Skipped
        A ratio of 0.5 is perfect scaling. The processes are started before.
    """
    if n_cores() < 2:
        yield Skipped(subject.name, "sweep on two workers", "this machine has one core")
        return
    before = torch.get_num_threads()
    try:
        for kind, make in (("threads", _threads), ("processes", WorkerProcesses)):
            with ExitStack() as stack:
                one, two = (stack.enter_context(make(n)) for n in (1, 2))
                jobs = {"one": _sweep(subject, one), "two": _sweep(subject, two)}
                timings = alternate(jobs, effort)
            baseline = f"the same on one of the {kind}"
            measures = f"{N_RECIPES} points on two {kind}"
            yield BenchRow.of(
                subject.name, "sweep", measures, timings["two"], baseline, timings["one"]
            )
    finally:
        torch.set_num_threads(before)


def _threads(n_workers: int) -> Executor:
    return ThreadPoolExecutor(n_workers, initializer=torch.set_num_threads, initargs=(1,))


def recipes(number: int) -> list[Recipe]:
    """Return recipes that no other round has."""
    first = 0.5 + 0.001 * (number % 100)
    return [
        Recipe.of([Prune(sparsity=first + 0.05 * i), Share(n_clusters=16)])
        for i in range(N_RECIPES)
    ]


def _sweep(subject: Subject, executor: Executor) -> Job:
    def run(tried: list[Recipe]) -> int:
        return len(list(sweep(subject.net, subject.data, tried, executor=executor)))

    return Job(run, recipes)


def _loop(subject: Subject) -> Job:
    def run(tried: list[Recipe]) -> None:
        for recipe in tried:
            small = explorer.compress(subject.net, recipe)
            _ = small.size_bytes
            if subject.data is not None:
                explorer.evaluate(small.restore(), subject.data.eval)

    return Job(run, recipes)
