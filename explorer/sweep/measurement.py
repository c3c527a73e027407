"""Measurement: what a sweep measures of a network under one recipe."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from explorer.codec.model import CompressedModel
from explorer.compress.networks.compressed import compress_planned, untouched_tensors
from explorer.compress.networks.layer import index_layers
from explorer.compress.networks.plain import copied
from explorer.compress.networks.planner import Planner
from explorer.compress.networks.recipe import Recipe
from explorer.compress.networks.writable_copy import WritableCopy
from explorer.measure.accuracy import Accuracy, running_accuracy
from explorer.measure.figures import Network, figures
from explorer.measure.metric import Metric, MetricRunner, Score
from explorer.measure.profile import input_shape as known_shape
from explorer.measure.saliency import network_saliency
from explorer.measure.taken_in import taken_in
from explorer.sweep.point import Point, data_key, metric_key, network_key, point_key


class Stopped(Exception):
    """The sweep ended while a point was under way."""


class Measurement:
    """What a sweep measures recipes on; several threads may use it at once.

    Weights are indexed once for all recipes, and each thread writes into a copy of its own.

    `net`: left unchanged. `data`: accuracy is measured on the ``eval`` part of a `Data`; its
    ``tune`` part serves second derivatives. `input_shape`: one input without the batch, for steps
    that remove neurons; by default what the data or the network say. `saliency`: what losing each
    weight costs, where it was measured already. `metric`: judges in place of the data. Raises
    TypeError, ValueError if the network has nothing to compress, or holds a NaN; the message names
    the layer.
    """

    def __init__(
        self,
        net: nn.Module,
        data: Any = None,
        input_shape: tuple[int, ...] | None = None,
        saliency: Mapping[str, Tensor] | None = None,
        metric: Metric | None = None,
    ) -> None:
        net = taken_in(net, data, input_shape)
        self.net = _on_cpu(net)
        self.data = getattr(data, "eval", data)
        self.tune = getattr(data, "tune", data)
        shape = input_shape or known_shape(net, data)
        self.input_shape = None if shape is None else tuple(shape)
        self.layers = index_layers(self.net)
        self.planner = Planner(self.net, self.layers, self.input_shape, self.saliency)
        self.stopped = threading.Event()
        self._saliency = saliency
        self.metric = metric
        self._runner = None if metric is None else MetricRunner(metric)
        self._copies: list[WritableCopy] = []
        self._lock = threading.Lock()

    @cached_property
    def network_key(self) -> str:
        """Hash of the network."""
        return network_key(self.net)

    @cached_property
    def data_key(self) -> str:
        """Hash of the data that accuracy is measured on, or of the metric in their place."""
        return data_key(self.data) if self.metric is None else metric_key(self.metric)

    @property
    def can_judge(self) -> bool:
        """Whether there is anything to judge by."""
        return self.data is not None or self._runner is not None

    @cached_property
    def tune_key(self) -> str:
        """Hash of the data for second derivatives."""
        return data_key(self.tune)

    @cached_property
    def network(self) -> Network:
        """What the figures need to know of the network."""
        name = getattr(self.net, "network_name", "")
        return Network(self.layers, untouched_tensors(self.net), None, {}, name)

    def saliency(self) -> Mapping[str, Tensor] | None:
        """Return what losing each weight costs, measured at the first call; None without data."""
        with self._lock:
            if self._saliency is None and self.tune is not None:
                self._saliency = network_saliency(self.net, self.tune, lambda done: None)
            return self._saliency

    def wants_saliency(self, recipe: Recipe) -> bool:
        """Whether a recipe goes by second derivatives."""
        return self.planner.needs_saliency(recipe)

    def key(self, recipe: Recipe) -> str:
        """Return the key of a recipe's point."""
        tune = self.tune_key if self.planner.needs_saliency(recipe) else ""
        shape = self.input_shape if self.planner.removes_neurons(recipe) else None
        return point_key(self.network_key, self.data_key, recipe, tune, shape)

    def point(self, key: str, recipe: Recipe) -> Point:
        """Measure a recipe; what goes wrong with it is told in the point.

        `key`: of the point. Raises Stopped if `stopped` was set meanwhile.
        """
        started = time.perf_counter()
        size, accuracy, words = 0, None, ""
        try:
            for size, accuracy in self._measured(recipe):  # noqa: B007
                if self.stopped.is_set():
                    raise Stopped
        except Stopped:
            raise
        except Exception as error:
            words, accuracy = f"{type(error).__name__}: {error}", None
        spent = time.perf_counter() - started
        return Point(key, recipe, size, self.network.original_bytes, accuracy, spent, words)

    def _measured(self, recipe: Recipe) -> Iterator[tuple[int, Accuracy | Score | None]]:
        """Yield the size, then with it the accuracy so far."""
        planned = self.planner.plan(recipe)
        if planned.reduction is not None:
            tensors = compress_planned(self.net, planned, self.network.name)
            small = CompressedModel.of(tensors)
            yield small.size_bytes, None
            if self.can_judge:
                yield from self._judged(small.restore(), small.size_bytes)
            return
        plans = planned.plans()
        size = figures(self.network, recipe, planned.steps, plans).size_bytes
        yield size, None
        if self.can_judge:
            with self._copy() as thin:
                thin.write_all(planned.steps, plans)
                yield from self._judged(thin.net, size)

    def _judged(self, net: nn.Module, size: int) -> Iterator[tuple[int, Accuracy | Score]]:
        if self._runner is not None:
            score = self._runner.ask(net, self.stopped.is_set)
            if score is None:
                raise Stopped
            yield size, score
            return
        found = False
        for accuracy in running_accuracy(net, self.data):
            found = True
            yield size, accuracy
        if not found:
            raise ValueError("data: expected at least one labeled sample, got none")

    @contextmanager
    def _copy(self) -> Iterator[WritableCopy]:
        """Lend a copy that no other thread uses."""
        with self._lock:
            thin = self._copies.pop() if self._copies else None
        thin = thin or WritableCopy(self.net, self.layers)
        try:
            yield thin
        finally:
            with self._lock:
                self._copies.append(thin)


def _on_cpu(net: nn.Module) -> nn.Module:
    tensors = (*net.parameters(), *net.buffers()) if isinstance(net, nn.Module) else ()
    if all(tensor.device == torch.device("cpu") for tensor in tensors):
        return net
    return copied(net).cpu()
