"""Moments from training records; how many threads torch uses meanwhile."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import torch
from torch import nn

from explorer.codec.model import CompressedModel, compress
from explorer.compress.networks.weights import compressible
from explorer.measure.accuracy import evaluate
from explorer.reproduce.digits import Digits
from explorer.reproduce.record import Moment

T = TypeVar("T")


@contextmanager
def threads(n_threads: int) -> Iterator[None]:
    """Let torch use so many threads inside the block."""
    outer = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(outer)


def on_threads(n_threads: int, records: Iterable[T]) -> Iterator[T]:
    """Hand records through; torch uses so many threads while one is made, and only then."""
    iterator = iter(records)
    while True:
        with threads(n_threads):
            try:
                record = next(iterator)
            except StopIteration:
                return
        yield record


Moments = Generator[Moment, None, nn.Module]


class Log:
    """Clock, history and size of one reproduction.

    `net`: the dense network that it starts from; its name and input shape go into the file.
    `recipe`: what writes the file. `half_biases`: write biases in half precision, for networks that
    lose neurons. What is judged in the end is what the file restores to, rounded biases and all.
    """

    def __init__(
        self, net: nn.Module, digits: Digits, recipe: Any, *, half_biases: bool = False
    ) -> None:
        self.net, self.digits, self.recipe = net, digits, recipe
        self.half_biases = half_biases
        self.history: list[Moment] = []
        self._started = time.perf_counter()
        self._cpu_started = time.process_time()
        self._epochs = 0

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self._started

    @property
    def cpu_seconds(self) -> float:
        """Of processor time since the start, all threads together."""
        return time.process_time() - self._cpu_started

    def pack(self, net: nn.Module) -> CompressedModel:
        """Return what would be written to the file; its ratio is to the network of the start."""
        packed = compress(
            plain(net),
            self.recipe,
            network=getattr(self.net, "network_name", ""),
            input_shape=getattr(self.net, "input_shape", None),
        )
        if not self.half_biases:
            return packed
        return dataclasses.replace(
            packed,
            untouched={name: tensor.half() for name, tensor in packed.untouched.items()},
            source_bytes=sum(4 * tensor.numel() for tensor in self.net.state_dict().values()),
        )

    def moment(self, stage: str, net: nn.Module, accuracy: float, n_epochs: int) -> Moment:
        """Note where things stand, `n_epochs` into a stage."""
        moment = Moment(
            stage=stage,
            epoch=self._epochs + n_epochs,
            density=n_left(net) / n_weights(self.net),
            size_bytes=self.pack(net).size_bytes,
            accuracy=accuracy,
            seconds=self.seconds,
        )
        self.history.append(moment)
        return moment

    def follow(self, stage: str, records: Iterable[Any]) -> Moments:
        """Yield a moment for each training record that was judged; return the network."""
        net, n_epochs = self.net, 0
        for record in records:
            net = record.net
            n_epochs = max(n_epochs, record.epoch)
            if record.validation is not None:
                yield self.moment(stage, net, record.validation.top1, record.epoch)
        self.passed(n_epochs)
        return net

    def passed(self, n_epochs: int) -> None:
        """Count the epochs of a stage that is over."""
        self._epochs += n_epochs

    def judge(self, stage: str, net: nn.Module) -> Moment:
        """Note where a network stands that is not under training."""
        return self.moment(stage, net, evaluate(net, self.digits.validation).top1, 0)


def quick(net: nn.Module) -> nn.Module:
    """Return a copy whose convolutions run faster on a CPU."""
    return _laid_out(net, torch.channels_last)


def plain(net: nn.Module) -> nn.Module:
    """Return a copy with its weights in the usual order."""
    return _laid_out(net, torch.contiguous_format)


def _laid_out(net: nn.Module, layout: torch.memory_format) -> nn.Module:
    moved: Any = copy.deepcopy(net)
    return cast(nn.Module, moved.to(memory_format=layout))


def n_weights(net: nn.Module) -> int:
    """Count the weights that a network has room for, biases left out."""
    return sum(weight.numel() for weight in compressible(net).values())


def n_left(net: nn.Module) -> int:
    """Count the weights that are not zero, biases left out."""
    return sum(int(weight.count_nonzero()) for weight in compressible(net).values())
