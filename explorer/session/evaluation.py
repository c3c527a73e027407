"""How a network is judged: on data, by a metric of the person's own, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from torch import nn

from explorer.measure.accuracy import Accuracy, judge

FIRST_BATCH = 128
MAX_BATCH = 1024
BATCH_S = 0.03


class Evaluation:
    """Judges a network in batches that take about 30 ms each.

    Parameters
    ----------
    data : Data, Dataset or iterable of batches, optional
    metric : callable, optional
        Called with the module, returns a fraction; excludes `data`.

    Raises
    ------
    ValueError
        If both are given.
    """

    def __init__(self, data: Any, metric: Callable[[nn.Module], float] | None) -> None:
        if data is not None and metric is not None:
            raise ValueError("give data or metric, not both: each of them defines the accuracy")
        self._data = getattr(data, "eval", data)
        self._metric = metric
        self._batch = FIRST_BATCH

    @property
    def possible(self) -> bool:
        """Whether there is anything to judge by."""
        return self._data is not None or self._metric is not None

    def run(self, net: nn.Module) -> Iterator[Accuracy]:
        """Yield the accuracy so far after each batch; the last is complete."""
        if self._metric is not None:
            value = float(self._metric(net))
            yield Accuracy(value, value, 0, value, value)
            return
        started, seen = time.perf_counter(), 0
        accuracy = None
        for accuracy in judge(net, self._data, self._batch):
            yield accuracy
            seen = seen or accuracy.n
            if seen == accuracy.n:
                self._fit_batch(time.perf_counter() - started, seen)
        if accuracy is None:
            raise ValueError("data: expected at least one labelled sample, got none")

    def _fit_batch(self, seconds: float, n: int) -> None:
        wanted = int(n * BATCH_S / max(seconds, 1e-6))
        self._batch = max(1, min(MAX_BATCH, wanted))
