"""A network's logits for the samples of a session, asked for once and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from explorer.measure.rounds import Stop, never
from explorer.train.samples import Samples
from explorer.train.teacher import ask, check_logits, check_teacher, teacher_logits

BATCH = 250
MOST = 10_000


@dataclass(frozen=True, eq=False)
class Answered:
    """Samples with a network's logits for them.

    Attributes
    ----------
    samples : Samples
    logits : Tensor, shape (n, n_classes)
        Of the first n samples.
    labels : Tensor, shape (n,), int64
    """

    samples: Samples
    logits: Tensor
    labels: Tensor

    @property
    def n(self) -> int:
        """Samples that were asked for."""
        return len(self.labels)

    def inputs(self, chosen: Tensor) -> Tensor:
        """Return the inputs of these numbers, shape (n_chosen, ...)."""
        return self.samples.take(chosen)[0]


def answered(net: nn.Module, data: Any, should_stop: Stop = never) -> Answered | None:
    """Ask a network for its logits, for at most 10,000 samples.

    Parameters
    ----------
    net : Module
        In eval mode; gives scores of shape (n, n_classes).
    data : Dataset or pair of Tensor
    should_stop : callable
        Asked between batches.

    Returns
    -------
    Answered or None
        None where it was stopped.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, part of the network is in train mode, or its logits are
        NaN or infinite.
    """
    check_teacher(net)
    samples = Samples(data)
    found: list[Tensor] = []
    labels: list[Tensor] = []
    for chosen in torch.arange(min(samples.n, MOST)).split(BATCH):
        if should_stop():
            return None
        inputs, own = samples.take(chosen)
        found.append(ask(net, inputs).cpu())
        labels.append(own.cpu().to(torch.int64))
    logits = check_logits("the network's logits", torch.cat(found).clone())
    return Answered(samples, logits, torch.cat(labels))


def pixels_of(data: Any) -> Callable[[Tensor], Tensor] | None:
    """Return what undoes the normalization of images; None where none is known."""
    known = (getattr(data, "mean", (0.0,)), getattr(data, "std", (1.0,))) != ((0.0,), (1.0,))
    return getattr(data, "pixels", None) if known else None


def class_names(data: Any, n_classes: int) -> tuple[str, ...]:
    """Return the names of a network's classes: their numbers where no others are known."""
    names = tuple(getattr(data, "classes", ()))
    return names if len(names) == n_classes else tuple(map(str, range(n_classes)))


class Answers:
    """What a network answers to the samples of some data.

    Parameters
    ----------
    net : Module
        Its weights must not change meanwhile.
    data : Data, Dataset or pair of Tensor
    """

    def __init__(self, net: nn.Module, data: Any) -> None:
        self._net, self._data = net, data
        self._lock = threading.Lock()
        self._held_out: Answered | None = None
        self._tune: Tensor | None = None

    @property
    def known(self) -> Answered | None:
        """Those to samples held out; None before they were asked for."""
        return self._held_out

    def held_out(self, should_stop: Stop = never) -> Answered | None:
        """Ask for those to samples held out, once; None where it was stopped."""
        with self._lock:
            if self._held_out is None:
                data = getattr(self._data, "eval", self._data)
                self._held_out = answered(self._net, data, should_stop)
            return self._held_out

    def tune(self) -> Tensor:
        """Ask for those to samples that are trained on, once; shape (n, n_classes)."""
        with self._lock:
            if self._tune is None:
                self._tune = teacher_logits(self._net, self._data)
            return self._tune
