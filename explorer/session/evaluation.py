"""Evaluation of a network on data, by a metric, or not at all; what it saw is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import (
    Inputs,
    call,
    device_of,
    failure_told,
    moved,
    own_copy,
    scores,
    scores_of,
    tensors_of,
)
from explorer.measure.accuracy import Accuracy, accuracy_so_far
from explorer.measure.data import batches, check_data, is_indexed, is_pair, most_samples
from explorer.measure.metric import Metric, MetricRunner, Score
from explorer.measure.predictions import Predictions
from explorer.session.prefix_cache import BUDGET_BYTES, PrefixCache, Stopped


class Recording:
    """Scores and labels of one evaluation, batch by batch, as far as it got.

    Nothing is kept of data with more samples than `most_samples` allows.

    `state`: what each compressible layer holds meanwhile.
    """

    def __init__(self, state: Mapping[str, Any]) -> None:
        self._state = state
        self._parts: list[tuple[Tensor, Tensor]] | None = []
        self._n = 0

    def add(self, scores: Tensor, labels: Tensor) -> None:
        """Keep a batch: scores of shape (n, n_classes), labels of shape (n,)."""
        self._n += len(labels)
        if self._n > most_samples(scores.shape[1]):
            self._parts = None
        if self._parts is not None:
            self._parts.append((scores.cpu(), labels.cpu()))

    def is_of(self, state: Mapping[str, Any]) -> bool:
        """Whether the layers held these very objects."""
        return self._state.keys() == state.keys() and all(
            held is state[name] for name, held in self._state.items()
        )

    def predictions(self, n: int) -> Predictions | None:
        """Return the predictions; None if they are not kept, or not for `n` samples yet."""
        parts = list(self._parts or ())
        if not parts or sum(len(labels) for _, labels in parts) != n:
            return None
        scores, labels = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        return Predictions.of(scores, labels)


CALIBRATION_BATCHES = (4, 32, 256)
FIRST_BATCH = 64
MAX_BATCH = 1024
BATCH_S = 0.04
LONGEST_METRIC_S = 60.0


class Evaluation:
    """Judges a network in batches of about 40 ms, and can stop between operations.

    `metric`: judges in place of the data. `budget_bytes`: most memory for activations that are kept
    between runs. `recording`: what the network answered in the latest run, as far as it got; None
    where the samples come in another order each time. Raises TypeError if `data` is no data, or can
    be gone through only once.
    """

    def __init__(
        self,
        data: Any,
        metric: Metric | None,
        budget_bytes: int = BUDGET_BYTES,
    ) -> None:
        self._data = getattr(data, "eval", data)
        if self._data is not None:
            check_data(self._data)
        if isinstance(self._data, Iterator):
            raise TypeError(
                f"data: a {type(self._data).__name__} is empty after its first run, and a recipe "
                "needs one; give a Dataset, a DataLoader or a list of batches"
            )
        self._runner = None if metric is None else MetricRunner(metric, LONGEST_METRIC_S)
        self._budget = budget_bytes
        self._batch = 0
        self._prefix: PrefixCache | None = None
        self.recording: Recording | None = None

    @property
    def possible(self) -> bool:
        """Whether there is anything to judge by."""
        return self._data is not None or self._runner is not None

    @property
    def metric(self) -> Metric | None:
        """What judges in place of the data."""
        return None if self._runner is None else self._runner.metric

    def run(
        self, net: nn.Module, state: Mapping[str, Any], stale: Callable[[], bool]
    ) -> Iterator[Accuracy | Score]:
        """Yield the accuracy so far after each batch; the last is complete.

        `net`: the same one at every call, in eval mode. `state`: what each compressible layer
        holds, as for `PrefixCache.begin`. `stale`: the iteration ends early as soon as this says
        True.
        """
        if self._runner is not None:
            score = self._runner.ask(net, stale)
            if score is not None:
                yield score
            return
        accuracy = None
        forward = self._forward(net, state, stale)
        recording = self.recording = Recording(state) if self._repeats() else None
        keep = recording.add if recording else None
        try:
            for accuracy in accuracy_so_far(
                forward, self._data, self._batch or FIRST_BATCH, keep, net
            ):
                yield accuracy
                if stale():
                    return
        except Stopped:
            return
        if accuracy is None:
            raise ValueError("data: expected at least one labeled sample, got none")

    def _forward(
        self, net: nn.Module, state: Mapping[str, Any], stale: Callable[[], bool]
    ) -> Callable[[Inputs], Tensor]:
        device = device_of(net)
        if not self._repeats():
            return lambda inputs: scores(net, moved(inputs, device))
        if self._prefix is None:
            self._prefix = PrefixCache(net, list(state), self._budget)
            self._batch = self._fitting_batch(net, device)
        self._prefix.begin(state)
        prefix, position = self._prefix, 0

        def forward(inputs: Inputs) -> Tensor:
            nonlocal position
            n = len(tensors_of(inputs)[0])
            batch = (position, n)
            position += n
            with failure_told(inputs):
                output = prefix.run(batch, moved(inputs, device), stale)
            return scores_of(output)

        return forward

    def _repeats(self) -> bool:
        """Whether the samples come in the same order each time."""
        return is_indexed(self._data) or is_pair(self._data)

    def _fitting_batch(self, net: nn.Module, device: torch.device) -> int:
        """Find how many samples take about `BATCH_S`, trying more while that takes no time."""
        for size in CALIBRATION_BATCHES:
            first = next(batches(self._data, size), None)
            if first is None:
                return FIRST_BATCH
            inputs, n = moved(first[0], device), len(first[1])
            seconds = min(_seconds(net, inputs) for _ in range(2))
            if seconds > BATCH_S / 4:
                break
        if self._prefix is not None:
            self._prefix.check(inputs)
        return max(1, min(MAX_BATCH, int(n * BATCH_S / max(seconds, 1e-6))))


def _seconds(net: nn.Module, inputs: Inputs) -> float:
    given = own_copy(inputs)
    started = time.perf_counter()
    with torch.inference_mode(), failure_told(inputs):
        call(net, given)
    return time.perf_counter() - started
