"""How a session's compressed network behaves: predictions that are made once and compared."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import (
    Inputs,
    call,
    first_rows,
    moved,
    own_copy,
    scores,
    tensors_of,
)
from explorer.compress.networks.writable_copy import WritableCopy
from explorer.measure.behavior import Behavior, behavior
from explorer.measure.data import (
    EvaluationSubset,
    batches,
    collated,
    evaluation_subset,
    labeled,
    most_samples,
)
from explorer.measure.gallery import pixels_of, thumbnails
from explorer.measure.predictions import Asking, Predictions, predict
from explorer.session.networks import NetworkState
from explorer.session.trials import Trial
from explorer.stopping import Stop, never

BATCH_S = 0.04
TRIED_BATCHES = (1, 16)
LARGEST_BATCH = 256


@dataclass(frozen=True)
class Original:
    """What the original network answers. `judged`: the samples."""

    evaluation_subset: EvaluationSubset
    predictions: Predictions


class Behaviors:
    """Compares the network of a trial with the original one.

    What both answered while accuracy was counted is used where it is kept. Where it is not, for
    the data are long or come in another order each time, they are asked again, on copies that
    nobody else touches: a trial holds all that its network's weights are made of, so a recipe
    that is taken up meanwhile changes nothing in them. The original is asked once, and goes on
    where it was stopped; the last comparison is kept, so that several views share it.

    `data`: of a `Data` its ``eval`` part is used, its classes' names and its pixels.
    """

    def __init__(self, original: NetworkState, data: Any, device: torch.device) -> None:
        self._subject = original
        self._data = getattr(data, "eval", data)
        self._names: Sequence[str] = getattr(data, "classes", ())
        self._pixels = pixels_of(data)
        self._device = device
        self._busy = threading.Lock()
        self._batch = 0
        self._asking: tuple[EvaluationSubset, Asking] | None = None
        self._original: Original | None = None
        self._kept: tuple[Trial, Behavior] | None = None

    @property
    def possible(self) -> bool:
        """Whether there is labeled data to judge by."""
        return self._data is not None

    def of(self, trial: Trial, should_stop: Stop = never) -> Behavior | None:
        """Compare a trial's network with the original.

        `should_stop`: asked between batches. Returns: none without data, or where it was stopped.
        Raises ValueError if there is no sample, or a network answers with what is no number.
        """
        if not self.possible:
            return None
        with self._busy:
            if self._kept is None or not _same(self._kept[0], trial):
                found = self._compare(trial, should_stop)
                if found is None:
                    return None
                self._kept = (trial, found)
            return self._kept[1]

    def _compare(self, trial: Trial, should_stop: Stop) -> Behavior | None:
        if self._original is None:
            self._original = self._ask_original(should_stop)
        original = self._original
        after = self._ask(trial, original.evaluation_subset, should_stop) if original else None
        if original is None or after is None:
            return None
        thumbnails = partial(self._thumbnails, original.evaluation_subset)
        n_total = original.evaluation_subset.n_total
        return behavior(original.predictions, after, self._names, n_total, thumbnails)

    def _ask_original(self, should_stop: Stop) -> Original | None:
        recording = self._subject.evaluator.original_recording
        if recording is not None:
            n = len(self._data)
            found = recording.predictions(n)
            if found is not None:
                return Original(EvaluationSubset(self._data, n), found)
        if self._asking is None:
            net = WritableCopy(self._subject.net, self._subject.layers, self._device).net
            chosen = evaluation_subset(self._data, most_samples(self._try(net)), should_stop)
            if chosen is None:
                return None
            self._asking = (chosen, Asking(net, chosen.samples, self._batch))
        chosen, asking = self._asking
        self._asking = None
        predictions = asking.go_on(should_stop)
        if predictions is not None:
            return Original(chosen, predictions)
        self._asking = (chosen, asking)
        return None

    def _ask(self, trial: Trial, chosen: EvaluationSubset, should_stop: Stop) -> Predictions | None:
        recording = trial.state.evaluator.recording
        if chosen.samples is self._data and recording is not None and recording.is_of(trial.plans):
            found = recording.predictions(chosen.n)
            if found is not None:
                return found
        net = self._written(trial, should_stop)
        if net is None:
            return None
        if not self._batch:
            self._try(net)
        return predict(net, chosen.samples, should_stop, self._batch)

    def _try(self, net: nn.Module) -> int:
        """Find the number of classes, and how many samples take about `BATCH_S`."""
        first = next(batches(self._data, max(TRIED_BATCHES)), None)
        if first is None:
            raise ValueError("data: expected at least one labeled sample, got none")
        n_classes, self._batch = _timed(net, moved(first[0], self._device))
        return n_classes

    def _written(self, trial: Trial, should_stop: Stop) -> nn.Module | None:
        """Make the network of a trial."""
        subject = trial.state
        copy = WritableCopy(subject.net, subject.layers, self._device)
        for name, plan in trial.plans.items():
            if should_stop():
                return None
            copy.write(name, plan)
        return copy.net

    def _thumbnails(self, chosen: EvaluationSubset, samples: Sequence[int]) -> list[Tensor | None]:
        return thumbnails([_shown(chosen.samples[i]) for i in samples], self._pixels)


def _shown(sample: Any) -> Tensor:
    """Return a sample's input as a tensor; of several the first."""
    inputs = labeled(collated([sample]))[0]
    return tensors_of(inputs)[0][0]


def _same(one: Trial, other: Trial) -> bool:
    """Whether two trials make the same network."""
    return one.state is other.state and all(
        plan is other.plans[name] for name, plan in one.plans.items()
    )


def _timed(net: nn.Module, inputs: Inputs) -> tuple[int, int]:
    """Find the number of classes, and the fitting number of samples in a batch."""
    for size in TRIED_BATCHES:
        few = first_rows(inputs, size)
        given, again = own_copy(few), own_copy(few)
        with torch.inference_mode():
            call(net, given)
            started = time.perf_counter()
            answers = scores(net, again)
        seconds = time.perf_counter() - started
        if seconds > BATCH_S / 4:
            break
    if answers.ndim != 2:
        raise ValueError(
            f"net: expected scores of shape (n, n_classes), got {tuple(answers.shape)}"
        )
    n = len(tensors_of(few)[0])
    return answers.shape[1], max(1, min(LARGEST_BATCH, int(n * BATCH_S / seconds)))
