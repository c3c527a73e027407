"""A new singular value decomposition for each rank, by torch."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from explorer.bench.peers.contest import Contest
from explorer.bench.subject import Subject, forget
from explorer.bench.timing import Effort, Job
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.networks.layer import IndexedLayer

RANKS = (8, 9)


def contests(subject: Subject, effort: Effort) -> Iterator[Contest]:
    """Factor the largest layer that a decomposition does not take minutes for."""
    name = subject.largest_quick
    if name is None:
        return
    layer = subject.layers[name]
    rows, columns = layer.matrix.shape
    yield Contest(
        "torch.linalg.svd",
        "torch",
        f"a new rank of layer {name}, {rows} x {columns}",
        "LowRank, the factors at hand, plan + rewrite",
        lambda: (_theirs(layer), _ours(layer)),
    )


def _ours(layer: IndexedLayer) -> Job:
    out = torch.empty_like(layer.source)

    def prepare(i: int) -> LowRank:
        forget(layer)
        return LowRank(rank=RANKS[i % 2])

    return Job(lambda step: layer.plan((step,)).write(layer.source, out), prepare)


def _theirs(layer: IndexedLayer) -> Job:
    def run(rank: int) -> None:
        left, values, right = torch.linalg.svd(layer.matrix, full_matrices=False)
        torch.mm(left[:, :rank] * values[:rank], right[:rank])

    return Job(run, lambda i: RANKS[i % 2])
