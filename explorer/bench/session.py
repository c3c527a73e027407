"""Benchmarks of accuracy, kept activations and sweeps."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

import explorer
from explorer.bench.subject import Subject
from explorer.bench.timing import BenchRow, Effort, Finding, Job, Skipped, Timing, alternate
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.measure.accuracy import evaluate
from explorer.measure.profile import input_shape
from explorer.measure.result import Result
from explorer.session.session import Session
from explorer.sweep.run import sweep
from explorer.sweep.workers import WorkerProcesses, n_cores

PLAIN = "explorer.evaluate on the same data"
OLD, NEW = 0.1, 0.95
PATIENCE_S = 60.0


class _Watch:
    """Notes when results come, and when the old recipe's last operation ends.

    Which recipe a forward pass belongs to is seen by one weight, of middle magnitude
    in its layer, that only the new recipe makes zero.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.first = 0.0
        self.old_end = 0.0
        self.old_runs = threading.Event()
        net = session.compressed_net()
        weight = net.get_parameter(f"{session.layers[0]}.weight").data.view(-1)
        middle = int(weight.abs().argsort()[weight.numel() // 2])
        self._probe = weight[middle : middle + 1]
        net.get_submodule(session.layers[0]).register_forward_pre_hook(self._before)
        for module in net.modules():
            if not any(module.children()):
                module.register_forward_hook(self._after)
        session.observe(self._result)

    def _old(self) -> bool:
        return bool(self._probe != 0)

    def _before(self, module: object, inputs: object) -> None:
        if self._old():
            self.old_runs.set()

    def _after(self, module: object, inputs: object, scores: Tensor) -> None:
        if self._old():
            self.old_end = time.perf_counter()

    def _result(self, result: Result) -> None:
        self.first = self.first or time.perf_counter()

    def estimates(self) -> tuple[float, float]:
        """Submit the new recipe; return seconds to the first and to the last estimate."""
        self.first = 0.0
        started = time.perf_counter()
        self.session.submit([Prune(sparsity=NEW)])
        self.session.wait(PATIENCE_S)
        ended = time.perf_counter()
        return min(self.first or ended, ended) - started, ended - started

    def stop(self) -> float:
        """Submit the new recipe while the old one is evaluated; return seconds to its end."""
        self.old_runs.clear()
        self.session.submit([Prune(sparsity=OLD)])
        self.old_runs.wait(PATIENCE_S)
        started = time.perf_counter()
        self.session.submit([Prune(sparsity=NEW)])
        self.session.wait(PATIENCE_S)
        return max(0.0, self.old_end - started)


def following(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Time a new value's first and complete accuracy, and the end of an old one's evaluation.

    Yields: baseline: one plain evaluation on the same data.
    """
    if subject.data is None:
        yield Skipped(subject.name, "accuracy", "the network comes without data")
        return
    session = Session(subject.net, subject.data, device="cpu")
    watch = _Watch(session)
    seconds = [_round(subject, watch) for _ in range(effort.n_runs + 1)]
    session.close()
    first, complete, stop, plain = map(Timing, zip(*seconds[1:], strict=True))
    for name, timing in (
        ("new value to first estimate", first),
        ("new value to complete accuracy", complete),
        ("new value to the old evaluation's end", stop),
    ):
        yield BenchRow.of(subject.name, "accuracy", name, timing, PLAIN, plain)


def _round(subject: Subject, watch: _Watch) -> tuple[float, float, float, float]:
    stop = watch.stop()
    watch.session.submit([Prune(sparsity=OLD)])
    watch.session.wait(PATIENCE_S)
    first, complete = watch.estimates()
    started = time.perf_counter()
    with torch.inference_mode():
        evaluate(subject.net, subject.data.eval)
    return first, complete, stop, time.perf_counter() - started


N_SAMPLES = 32
SUFFIX_PATIENCE_S = 120.0


def late_change(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Time a new value of the last layer, and of the first, up to the complete accuracy.

    Yields: the first layer's as a multiple of the last one's: what is saved. Images are noise,
    which takes as long as any other.
    """
    shape = input_shape(subject.net, subject.data)
    if shape is None:
        yield Skipped(subject.name, "accuracy", "the shape of an input is not known")
        return
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(N_SAMPLES, *shape, generator=generator)
    session = Session(subject.net, TensorDataset(images, torch.zeros(N_SAMPLES, dtype=torch.int64)))
    try:
        last = _changes(session, session.layers[-1], effort)
        first = _changes(session, session.layers[0], effort)
    finally:
        session.close()
    n_runs = min(first.n_runs, last.n_runs)
    first, last = (Timing(timing.seconds[:n_runs]) for timing in (first, last))
    yield BenchRow.of(
        subject.name,
        "accuracy",
        f"a change in {session.layers[0]}, {N_SAMPLES} images, to complete accuracy",
        first,
        f"the same for a change in {session.layers[-1]}",
        last,
    )


def _changes(session: Session, layer: str, effort: Effort) -> Timing:
    """Time one new value of a layer after the other, two of them to warm up."""

    def change(number: int) -> None:
        session.submit({layer: [Prune(sparsity=0.3 + 0.01 * (number % 50))]})
        session.wait(SUFFIX_PATIENCE_S)

    change(49)
    return alternate({layer: Job(change)}, effort)[layer]


N_RECIPES = 8
PLAIN_LOOP = "a loop of compress, restore and evaluate over the same recipes, one core"


def cost(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Time a whole sweep on one core against a plain loop over its recipes.

    Yields: milliseconds of all recipes; `n_runs` sweeps, each of recipes never met before.
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
    yield BenchRow.of(
        subject.name, "sweep", measures, timings["sweep"], PLAIN_LOOP, timings["loop"]
    )


def scaling(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Time a sweep on two workers against the same on one: threads, then processes.

    Yields: a ratio of 0.5 is perfect scaling. The processes are started before.
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
