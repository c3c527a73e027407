"""Benchmarks of preparing, rewriting, figures and factoring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from explorer.bench.subject import METHODS, Subject
from explorer.bench.timing import BenchRow, Effort, Finding, Job, alternate
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.ordering import Ordering
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.svd import OVERSAMPLING, QUICK_RANK, Factors, factorize_randomly
from explorer.compress.networks.plan import Plan
from explorer.compress.networks.recipe import Steps
from explorer.compress.records.record import as_matrix

SORTING = "numpy.sort of the same weights"


def index(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Index all layers, one after the other, each index being dropped at once.

    Yields: sorting, prefix sums and the histogram's bins. Baseline: `SORTING`.
    """
    arrays = [layer.source.numpy() for layer in subject.layers.values()]
    jobs = {
        "index": Job(lambda _: [_index(array) for array in arrays]),
        SORTING: Job(lambda _: [np.sort(array, axis=None).size for array in arrays]),
    }
    timings = alternate(jobs, effort)
    yield BenchRow.of(
        subject.name,
        "index, all layers",
        "sorted weights, sums, bins",
        timings["index"],
        SORTING,
        timings[SORTING],
    )


def _index(weights: np.ndarray) -> int:
    ordering = Ordering(weights)
    _ = ordering.squared_norm, ordering.zeros, ordering.edge_ranks
    return ordering.n


COPYING = "copying the weights"


def all_layers(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Recompress the whole network, with every layer rewritten.

    Yields: for each method: writing alone, the plans being there; and figures and writing together,
    as `Session.apply` does them. Baseline: copying the same weights, layer by layer, between two
    kept buffers.
    """
    jobs = {COPYING: Job(lambda _: subject.copy())}
    for name, steps in METHODS.items():
        jobs[f"{name}, all layers: rewrite only"] = _rewrite(subject, steps)
        jobs[f"{name}, all layers: figures + rewrite"] = _apply(subject, steps)
    yield from _rows(subject, jobs, effort)


def one_layer(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Change the largest layer alone.

    Yields: figures of the whole network and the rewriting of that layer; the other layers stay
    pruned to one half. Baseline: copying that layer's weights.
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


SMALL = "lenet-5"


def whole_network(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Draw up the figures of all layers for a new value of each method.

    Yields: baseline: copying the weights.
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

    Yields: baseline: the same for the largest layer of the network `SMALL`.
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


RANK = 64
PRODUCTS = "its own matrix products"
ONE_PRODUCT = "one product of the matrix with as many columns"
Pair = tuple[Tensor, Tensor, Tensor]


def new_rank(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Turn the rank dial for all layers, the factors being there; and make first factors.

    Large layers are factored at random, for their leading singular values, as the page
    does before exact factors are ready.
    """
    layers = subject.layers
    factors = {name: layer.factors for name, layer in layers.items()}

    def plans(i: int) -> dict[str, Plan]:
        return {name: x.plan((LowRank(rank=RANK + i % 2),)) for name, x in layers.items()}

    def write(ready: dict[str, Plan]) -> None:
        for name, plan in ready.items():
            plan.write(layers[name].source, subject.kept[name])

    def pairs(i: int) -> list[Pair]:
        return [_pair(factors[name], RANK + i % 2, subject.kept[name]) for name in layers]

    def multiply(ready: list[Pair]) -> None:
        for left, right, out in ready:
            torch.mm(left, right, out=out)

    jobs = {"LowRank": Job(write, plans), PRODUCTS: Job(multiply, pairs)}
    timings = alternate(jobs, effort)
    yield BenchRow.of(
        subject.name,
        "LowRank, all layers",
        f"rewrite only, rank {RANK}, factors at hand",
        timings["LowRank"],
        PRODUCTS,
        timings[PRODUCTS],
    )
    yield from _first_factors(subject, effort)


def _pair(factors: Factors, rank: int, out: Tensor) -> Pair:
    return factors.left[:, :rank] * factors.values[:rank], factors.right[:rank], as_matrix(out)


def _first_factors(subject: Subject, effort: Effort) -> Iterator[Finding]:
    layer = subject.layers[subject.largest]
    columns = torch.ones(layer.matrix.shape[1], QUICK_RANK + OVERSAMPLING)
    jobs = {
        "factors": Job(lambda _: factorize_randomly(layer.source)),
        ONE_PRODUCT: Job(lambda _: torch.mm(layer.matrix, columns)),
    }
    timings = alternate(jobs, effort)
    yield BenchRow.of(
        subject.name,
        f"randomized factors of {layer.name}",
        f"the leading {min(QUICK_RANK, *layer.matrix.shape)} singular triplets",
        timings["factors"],
        ONE_PRODUCT,
        timings[ONE_PRODUCT],
    )
