"""Fewer samples where all of them would take too long."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset, Subset, TensorDataset

from explorer.compress.networks.forward import call, device_of, moved, own_copy
from explorer.measure.data import batches, is_indexed, is_pair, n_samples

COUNTS = (2000, 1000, 500)
POINT_S = 0.5
TRIED = 16


@dataclass(frozen=True, eq=False)
class Part:
    """Evenly spaced samples of some data.

    `eval`: the samples. `tune`: the part to train on, whole; None where there is none. `n`,
    `n_total`: samples taken, and samples there are; 0 where that is not known.
    """

    eval: Any
    tune: Any
    n: int
    n_total: int

    @property
    def can_train(self) -> bool:
        """Whether there is a part to train on."""
        return self.tune is not None

    @property
    def measured_on(self) -> Any:
        """What a measurement takes: the samples, and where there are some those to tune on."""
        return self if self.can_train else self.eval


def part_of(net: nn.Module, data: Any) -> Part:
    """Take as many samples as are judged in about half a second: 2,000, 1,000 or 500.

    `net`: judged on a few samples, to see how long they take. `data`: of a `Data` the ``eval``
    part; what has no length is taken whole.
    """
    whole, tune = getattr(data, "eval", data), getattr(data, "tune", None)
    if is_pair(whole):
        whole = TensorDataset(*whole)
    n_total = n_samples(whole) if is_indexed(whole) else 0
    if n_total <= COUNTS[-1]:
        return Part(whole, tune, n_total, n_total)
    quick = POINT_S / _seconds_a_sample(net, whole)
    n = min(n_total, next((count for count in COUNTS if count <= quick), COUNTS[-1]))
    return Part(whole if n == n_total else _spaced(whole, n, n_total), tune, n, n_total)


def _seconds_a_sample(net: nn.Module, data: Any) -> float:
    inputs, labels = next(batches(data, TRIED))
    spent = []
    for _ in range(2):
        given = moved(own_copy(inputs), device_of(net))
        started = time.perf_counter()
        with torch.inference_mode():
            call(net, given)
        spent.append(time.perf_counter() - started)
    return max(min(spent) / len(labels), 1e-9)


def _spaced(data: Any, n: int, n_total: int) -> Dataset:
    places = torch.linspace(0, n_total - 1, n).round().long()
    if isinstance(data, TensorDataset):
        return TensorDataset(*(tensor[places] for tensor in data.tensors))
    return Subset(data, places.tolist())
