"""NetworkState: the network of a session, or a smaller one that a recipe makes of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from explorer.codec.model import CompressedModel
from explorer.compress.networks.compressed import compress_planned, untouched_tensors
from explorer.compress.networks.layer import IndexedLayer, index_layers
from explorer.compress.networks.plain import folded_layers
from explorer.compress.networks.plan import Plan
from explorer.compress.networks.planner import KEPT_NETWORKS, PlannedRecipe, Planner, Reduction
from explorer.compress.networks.preparation import Preparation, Progress
from explorer.compress.networks.recipe import Recipe
from explorer.compress.networks.weights import coverage
from explorer.measure.anatomy import anatomy, layer_macs
from explorer.measure.disk_cache import FactorCache
from explorer.measure.figures import Network, figures
from explorer.measure.result import Result
from explorer.measure.saliency import SaliencyIndex
from explorer.session.evaluation import Evaluation
from explorer.session.evaluator import Evaluator


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

    def figures(self, planned: PlannedRecipe) -> tuple[dict[str, Plan], Result]:
        """Return the plan of every layer, and the figures of all."""
        plans = planned.plans()
        return plans, figures(self.network, planned.recipe, planned.steps, plans, planned.notes)


QUICK_WEIGHTS = 5_000_000


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
        self.planner = Planner(net, layers, input_shape, self.saliency.tensors)
        self._reduced: OrderedDict[Reduction, NetworkState] = OrderedDict()
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

    def state(self, planned: PlannedRecipe) -> NetworkState:
        """Return the network that a recipe compresses, with all that figures need."""
        reduction = planned.reduction
        if reduction is None:
            return self.original
        with self._lock:
            if reduction not in self._reduced:
                self._reduced[reduction] = self._subject(
                    reduction.net, planned.layers, origin=self.original, reduction=reduction
                )
            self._reduced.move_to_end(reduction)
            if len(self._reduced) > KEPT_NETWORKS:
                self._reduced.popitem(last=False)
            return self._reduced[reduction]

    def ready(self, recipe: Recipe) -> bool:
        """Whether the figures of a recipe are there at once, with nothing to make."""
        if self.first.preparation.unsorted or self.original.preparation.unsorted:
            return False
        if self.planner.needs_saliency(recipe) and not self.saliency.ready:
            return False
        planned = self.planner.planned(recipe)
        if planned is None:
            return False
        preparation = self.state(planned).preparation
        return not preparation.unsorted and not preparation.missing(planned.steps)

    def is_quick(self, recipe: Recipe) -> bool:
        """Whether what a recipe needs is made in less than about half a second."""
        n_weights = sum(layer.n_weights for layer in self.original.layers.values())
        waits = self.planner.needs_saliency(recipe) and not self.saliency.ready
        return n_weights <= QUICK_WEIGHTS and not waits

    def prepare(self, recipe: Recipe, progress: Progress) -> None:
        """Make what the figures of a recipe need."""
        for subject in (self.first, self.original):
            subject.preparation.sort(progress)
        if self.planner.needs_saliency(recipe):
            self.saliency.make(progress)
        planned = self.planner.plan(recipe)
        preparation = self.state(planned).preparation
        preparation.sort(progress)
        preparation.run(planned.steps, progress)

    def compress(self, recipe: Recipe) -> CompressedModel:
        """Return the compressed model of a recipe."""
        planned, original = self.planner.plan(recipe), self.original
        tensors = compress_planned(original.net, planned, original.network.name)
        size = self.state(planned).network.source_bytes
        return CompressedModel.of(replace(tensors, source_bytes=size))


def _layers_of(origin: nn.Module, layers: Mapping[str, IndexedLayer]) -> Mapping[str, IndexedLayer]:
    found = index_layers(origin)
    if list(found) != list(layers):
        raise ValueError(
            f"origin: expected the layers of net, {', '.join(layers)}; got {', '.join(found)}"
        )
    return found
