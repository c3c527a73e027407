"""What must be made before the figures of a recipe are instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from explorer.compress.methods.low_rank import LowRank
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.recipe import Steps

Progress = Callable[[str, float], None]


def unheard(what: str, fraction: float) -> None:
    """Take no notice of progress."""


class Preparation:
    """Knows what of a network's indexes some steps need, and makes it."""

    def __init__(self, layers: Mapping[str, IndexedLayer]) -> None:
        self._layers = layers

    @property
    def unsorted(self) -> list[IndexedLayer]:
        """Layers whose weights are not sorted yet."""
        return [layer for layer in self._layers.values() if not layer.has_ordering]

    def sort(self, progress: Progress) -> None:
        """Sort the weights of all layers."""
        _each(self.unsorted, progress, lambda layer: layer.ordering)

    def missing(self, steps: Mapping[str, Steps]) -> list[IndexedLayer]:
        """Return the layers whose factors, or plans, are not there for their resolved steps."""
        return [
            layer
            for name, layer in self._layers.items()
            if (_factored(steps[name]) and layer.needs_factors) or not layer.has_plan(steps[name])
        ]

    def run(self, steps: Mapping[str, Steps], progress: Progress) -> None:
        """Make what is missing, telling `progress` what is done and the share of weights."""

        def make(layer: IndexedLayer) -> None:
            if _factored(steps[layer.name]):
                _ = layer.factors
            layer.plan(steps[layer.name])

        _each(self.missing(steps), progress, make)

    def rough(self, steps: Mapping[str, Steps]) -> list[IndexedLayer]:
        """Return the layers whose factors are randomized so far, small ones first."""
        factored = [layer for name, layer in self._layers.items() if _factored(steps[name])]
        made = [layer for layer in factored if not layer.needs_factors]
        return sorted(
            (layer for layer in made if not layer.factors.exact), key=lambda x: x.n_weights
        )


def _factored(steps: Steps) -> bool:
    return any(isinstance(step, LowRank) for step in steps)


def _each(
    layers: list[IndexedLayer], progress: Progress, make: Callable[[IndexedLayer], object]
) -> None:
    total, done = sum(layer.n_weights for layer in layers), 0
    for layer in layers:
        progress(f"Preparing layer {layer.name}", done / total)
        make(layer)
        done += layer.n_weights
