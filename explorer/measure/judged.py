"""The samples that behavior is judged on: all of the data, or as many as time and memory allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset, TensorDataset

from explorer.measure.batches import batches, n_samples
from explorer.measure.rounds import Stop, never

MOST_SAMPLES = 10_000
MOST_SCORES = 10_000_000
MOST_BYTES = 256_000_000


@dataclass(frozen=True, eq=False)
class Judged:
    """Samples that come in the same order each time.

    Attributes
    ----------
    samples : Dataset
        Pairs of input and class index; knows its length.
    n_total : int
        Samples in all the data; 0 where nothing tells.
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

    Parameters
    ----------
    data : Dataset or iterable of batches
        A dataset must give the same samples each time.
    n_most : int
    should_stop : callable
        Asked before each batch of an iterable.

    Returns
    -------
    Judged or None
        None where it was stopped.

    Raises
    ------
    TypeError
        If `data` is neither, or an iterable's inputs are no tensors.
    ValueError
        If there is no sample.
    """
    if not (isinstance(data, Dataset) and hasattr(data, "__len__")):
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
    kept: list[tuple[Tensor, Tensor]] = []
    n = n_bytes = 0
    whole = True
    for inputs, labels in batches(data, 256):
        if should_stop():
            return None
        if not isinstance(inputs, Tensor):
            raise TypeError(f"data: expected inputs in a tensor, got {type(inputs).__name__}")
        if n >= n_most or (kept and n_bytes + inputs.nbytes > MOST_BYTES):
            whole = False
            break
        kept.append((inputs[: n_most - n].cpu(), labels[: n_most - n].cpu()))
        whole = len(labels) <= n_most - n
        n, n_bytes = n + len(kept[-1][1]), n_bytes + inputs.nbytes
    if not n:
        raise ValueError("data: expected at least one labeled sample, got none")
    samples = TensorDataset(torch.cat([i for i, _ in kept]), torch.cat([x for _, x in kept]))
    return Judged(samples, n if whole else n_samples(data))
