"""NetworkState: the network of a session, or a smaller one that a recipe makes of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from explorer.codec.model import CompressedModel
from explorer.compress.networks.compressed import (
    compress_layers,
    compress_reduced,
    index_layers,
    untouched_tensors,
)
from explorer.compress.networks.coverage import coverage
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plain import folded_layers
from explorer.compress.networks.plan import Plan
from explorer.compress.networks.preparation import Preparation, Progress
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.compress.networks.removal.removal import NeuronIndex
from explorer.compress.networks.steps import (
    Reduction,
    around,
    layer_steps,
    need_shape,
    needs_saliency,
    reduce,
    remaining,
    removes_neurons,
    resolve,
)
from explorer.measure.anatomy import anatomy, layer_macs
from explorer.measure.figures import Network, figures
from explorer.measure.result import Result
from explorer.session.disk_cache import FactorCache
from explorer.session.evaluation import Evaluation
from explorer.session.evaluator import Evaluator
from explorer.session.saliency_index import SaliencyIndex


class NetworkState:
    """A network with its indexes, and the copy of it that is evaluated.

    `net`: left unchanged. `layers`: its compressible layers. `input_shape`: one input without the
    batch; None where it is unknown, and with it what is multiplied. `evaluation`: how it is judged;
    its own, for it keeps activations. `device`: where it is evaluated. `origin`: the network that
    this one was before it lost neurons or was trained further. `reduction`: how it lost them; None
    where it was trained further.
    """

    def __init__(
        self,
        net: nn.Module,
        layers: Mapping[str, IndexedLayer],
        input_shape: tuple[int, ...] | None,
        evaluation: Evaluation,
        device: torch.device,
        origin: NetworkState | None = None,
        reduction: Reduction | None = None,
    ) -> None:
        self.net = net
        self.layers = layers
        self.reduction = reduction
        name = getattr(net, "network_name", "")
        before: Network | None = origin.network if origin else None
        found = anatomy(net, input_shape) if input_shape else None
        self.network: Network = Network(
            layers,
            untouched_tensors(net),
            found,
            layer_macs(net, found) if found else {},
            name,
            before,
            reduction is None,
            coverage(net),
            folded_layers(net),
        )
        self.preparation = Preparation(layers)
        self.evaluator = Evaluator(net, layers, evaluation, device)

    def plan(self, recipe: Recipe, steps: Mapping[str, Steps]) -> tuple[dict[str, Plan], Result]:
        """Return the plan of every layer, and the figures of all.

        `steps`: resolved steps of this subject's layers.
        """
        plans = {name: layer.plan(steps[name]) for name, layer in self.layers.items()}
        notes = self.reduction.notes if self.reduction else {}
        return plans, figures(self.network, recipe, steps, plans, notes)


KEPT_SUBJECTS = 3
QUICK_WEIGHTS = 5_000_000
Key = tuple[tuple[str, Steps], ...]


@dataclass(frozen=True)
class Task:
    """What a recipe asks for.

    `subject`: the network that is compressed. `steps`: resolved steps of its layers.
    """

    subject: NetworkState
    steps: Mapping[str, Steps]


class NetworkStates:
    """Finds the network that a recipe compresses, and makes what is missing.

    `net`: left unchanged. `data`: its ``tune`` part serves for second derivatives. `input_shape`:
    one input without the batch. `evaluation`: makes the `Evaluation` of a subject. `origin`: what
    the network was before it was trained further; left unchanged. `original`: the network. `first`:
    the one that figures are compared with: that of `origin`, or else the same. Raises ValueError if
    `origin` has other layers than `net`.
    """

    def __init__(
        self,
        net: nn.Module,
        data: Any,
        input_shape: tuple[int, ...] | None,
        evaluation: Callable[[], Evaluation],
        device: torch.device,
        origin: nn.Module | None = None,
    ) -> None:
        self.input_shape = input_shape
        self._evaluation = evaluation
        self._device = device
        self._factors = FactorCache()
        layers = index_layers(net, self._factors)
        before = None if origin is None else self._subject(origin, _layers_of(origin, layers))
        self.original = self._subject(net, layers, origin=before)
        self.first = before or self.original
        self.saliency = SaliencyIndex(net, layers, data)
        self._neurons: NeuronIndex | None = None
        self._reduced: OrderedDict[Key, NetworkState] = OrderedDict()
        self._lock = threading.Lock()

    def _subject(
        self, net: nn.Module, layers: Mapping[str, IndexedLayer], **origin: Any
    ) -> NetworkState:
        shape = self.input_shape
        return NetworkState(net, layers, shape, self._evaluation(), self._device, **origin)

    @property
    def problem(self) -> str:
        """Why what takes long must be computed anew next time, in words; "" where it need not."""
        return self._factors.problem or self.saliency.problem

    def task(self, recipe: Recipe) -> Task:
        """Return what a recipe asks for, making what is missing."""
        steps = layer_steps(recipe, self.original.layers)
        if not removes_neurons(steps):
            return Task(self.original, self._resolved(steps))
        key = self._key(steps)
        with self._lock:
            subject = self._reduced.get(key)
        if subject is None:
            subject = self._keep(key, self._reduce(steps))
        return Task(subject, resolve(remaining(around(steps)), subject.layers))

    def _resolved(self, steps: Mapping[str, Steps]) -> dict[str, Steps]:
        saliency = self.saliency.tensors() if needs_saliency(steps) else None
        return resolve(steps, self.original.layers, saliency)

    def _before(self, steps: Mapping[str, Steps]) -> dict[str, Steps]:
        return self._resolved({name: part.before for name, part in around(steps).items()})

    def _key(self, steps: Mapping[str, Steps]) -> Key:
        """Return what the smaller network depends on: the steps up to the removal."""
        parts, before = around(steps), self._before(steps)
        return tuple(
            (name, before[name] + ((part.removal,) if part.removal else ()))
            for name, part in parts.items()
        )

    def _reduce(self, steps: Mapping[str, Steps]) -> NetworkState:
        if self._neurons is None:
            self._neurons = NeuronIndex(self.original.net, need_shape(self.input_shape))
        original = self.original
        parts, before = around(steps), self._before(steps)
        reduction = reduce(original.net, parts, before, original.layers, self._neurons)
        layers = index_layers(reduction.net)
        return self._subject(reduction.net, layers, origin=original, reduction=reduction)

    def _keep(self, key: Key, subject: NetworkState) -> NetworkState:
        with self._lock:
            subject = self._reduced.setdefault(key, subject)
            self._reduced.move_to_end(key)
            if len(self._reduced) > KEPT_SUBJECTS:
                self._reduced.popitem(last=False)
            return subject

    def ready(self, recipe: Recipe) -> bool:
        """Whether the figures of a recipe are there at once, with nothing to make."""
        if self.first.preparation.unsorted or self.original.preparation.unsorted:
            return False
        steps = layer_steps(recipe, self.original.layers)
        if needs_saliency(steps) and not self.saliency.ready:
            return False
        if removes_neurons(steps) and self._key(steps) not in self._reduced:
            return False
        task = self.task(recipe)
        preparation = task.subject.preparation
        return not preparation.unsorted and not preparation.missing(task.steps)

    def is_quick(self, recipe: Recipe) -> bool:
        """Whether what a recipe needs is made in less than about half a second."""
        layers = self.original.layers
        n_weights = sum(layer.n_weights for layer in layers.values())
        steps = layer_steps(recipe, layers)
        waits = needs_saliency(steps) and not self.saliency.ready
        return n_weights <= QUICK_WEIGHTS and not waits

    def prepare(self, recipe: Recipe, progress: Progress) -> None:
        """Make what the figures of a recipe need."""
        for subject in (self.first, self.original):
            subject.preparation.sort(progress)
        if needs_saliency(layer_steps(recipe, self.original.layers)):
            self.saliency.make(progress)
        task = self.task(recipe)
        task.subject.preparation.sort(progress)
        task.subject.preparation.run(task.steps, progress)

    def compress(self, recipe: Recipe) -> CompressedModel:
        """Return the compressed model of a recipe."""
        task, original = self.task(recipe), self.original
        name = original.network.name
        reduction, layers = task.subject.reduction, task.subject.layers
        if reduction is not None:
            rest = (layers, task.steps, recipe, name)
            tensors = compress_reduced(original.net, reduction, *rest)
        else:
            saliency = self.saliency.tensors() if self.saliency.ready else None
            tensors = compress_layers(original.net, recipe, layers, name, saliency=saliency)
        size = task.subject.network.source_bytes
        return CompressedModel.of(replace(tensors, source_bytes=size))


def _layers_of(origin: nn.Module, layers: Mapping[str, IndexedLayer]) -> Mapping[str, IndexedLayer]:
    found = index_layers(origin)
    if list(found) != list(layers):
        raise ValueError(
            f"origin: expected the layers of net, {', '.join(layers)}; got {', '.join(found)}"
        )
    return found
