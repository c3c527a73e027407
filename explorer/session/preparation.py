"""What must be made once before figures are instant: indexes, and factors where they are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from explorer.compress.indexed import IndexedLayer
from explorer.compress.low_rank import LowRank
from explorer.compress.recipe import Recipe

Progress = Callable[[str, float], None]


def unheard(layer: str, fraction: float) -> None:
    """Take no notice of progress."""


class Preparation:
    """Knows what of a network's indexes a recipe needs, and makes it.

    Parameters
    ----------
    layers : mapping of str to IndexedLayer
    """

    def __init__(self, layers: Mapping[str, IndexedLayer]) -> None:
        self._layers = layers

    def missing(self, recipe: Recipe) -> list[IndexedLayer]:
        """Return the layers that are not ready for a recipe."""
        factored = self._factored(recipe)
        return [
            layer
            for layer in self._layers.values()
            if not layer.has_ordering or (layer in factored and layer.needs_factors)
        ]

    def run(self, recipe: Recipe, progress: Progress) -> None:
        """Make what is missing, telling `progress` the layer and the share of weights done."""
        missing, factored = self.missing(recipe), self._factored(recipe)
        total, done = sum(layer.n_weights for layer in missing), 0
        for layer in missing:
            progress(layer.name, done / total)
            _ = layer.ordering
            if layer in factored:
                _ = layer.factors
            done += layer.n_weights

    def rough(self, recipe: Recipe) -> list[IndexedLayer]:
        """Return the layers whose factors are randomized so far, small ones first."""
        made = [layer for layer in self._factored(recipe) if not layer.needs_factors]
        return sorted(
            (layer for layer in made if not layer.factors.exact), key=lambda x: x.n_weights
        )

    def _factored(self, recipe: Recipe) -> list[IndexedLayer]:
        return [
            layer
            for name, layer in self._layers.items()
            if any(isinstance(step, LowRank) for step in recipe.steps_for(name))
        ]
