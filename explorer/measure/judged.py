"""The samples that behavior is judged on: all of the data, or as many as time and memory allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset, TensorDataset

from explorer.measure.batches import is_indexed, is_pair, n_samples
from explorer.measure.held import hold
from explorer.measure.rounds import Stop, never

MOST_SAMPLES = 10_000
MOST_SCORES = 10_000_000
MOST_BYTES = 256_000_000


@dataclass(frozen=True, eq=False)
class Judged:
    """Samples that come in the same order each time.

    `samples`: pairs of input and class index; knows its length. `n_total`: samples in all the data;
    0 where nothing tells.
    """

    samples: Dataset[Any]
    n_total: int

    @property
    def n(self) -> int:
        """Samples that are judged."""
        return len(self.samples)  # type: ignore[arg-type]


def most_samples(n_classes: int) -> int:
    """Return how many samples are judged at most: 10,000, and 10 million scores."""
    return max(1, min(MOST_SAMPLES, MOST_SCORES // n_classes))


def judged(data: Any, n_most: int = MOST_SAMPLES, should_stop: Stop = never) -> Judged | None:
    """Choose samples.

    Of a dataset that is longer than `n_most`, `n_most` evenly spaced samples are taken, so that
    one that is sorted by class gives all classes. Of an iterable of batches, whose order may
    change, the first ones are kept: `n_most` of them, and 256 MB.

    `data`: a dataset must give the same samples each time. `should_stop`: asked before each batch
    of an iterable. Returns: none where it was stopped. Raises TypeError if `data` is neither, or an
    iterable's inputs are no tensors. Raises ValueError if there is no sample.
    """
    if is_pair(data):
        data = TensorDataset(*data)
    if not is_indexed(data):
        return _first(data, n_most, should_stop)
    n_total = len(data)
    if n_total <= n_most:
        return Judged(data, n_total)
    rows = torch.arange(n_most) * n_total // n_most
    if isinstance(data, TensorDataset):
        return Judged(TensorDataset(*(tensor[rows] for tensor in data.tensors)), n_total)
    return Judged(Subset(data, rows.tolist()), n_total)


def _first(data: Any, n_most: int, should_stop: Stop) -> Judged | None:
    """Keep the first samples of an iterable."""
    held = hold(data, n_most, MOST_BYTES, should_stop)
    if held is None:
        return None
    samples, whole = held
    simple = isinstance(samples.inputs, Tensor)
    chosen = TensorDataset(samples.inputs, samples.labels) if simple else samples
    return Judged(chosen, len(samples) if whole else n_samples(data))
