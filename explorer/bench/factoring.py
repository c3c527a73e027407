"""Low rank: a new rank against its own matrix products, and the first factors."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from explorer.bench.rows import BenchRow, Finding
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort, Job, alternate
from explorer.compress.factors import OVERSAMPLING, QUICK_RANK, Factors, factorize_randomly
from explorer.compress.low_rank import LowRank
from explorer.compress.plan import Plan
from explorer.compress.weights import as_matrix

RANK = 64
PRODUCTS = "its own matrix products"
ONE_PRODUCT = "one product of the matrix with as many columns"
Pair = tuple[Tensor, Tensor, Tensor]


def new_rank(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Turn the rank dial for all layers, the factors being there; and make first factors.

    Large layers are factored at random, for their leading singular values, as the page
    does before exact factors are ready.

    Yields
    ------
    BenchRow
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
