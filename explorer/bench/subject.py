"""A network under measurement, and slider moves on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

import explorer
from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.share import Share
from explorer.compress.methods.svd import is_quick
from explorer.compress.networks.layer import KEPT_PLANS, IndexedLayer, index_layers
from explorer.compress.networks.recipe import Steps
from explorer.session.session import Session

METHODS: Mapping[str, Callable[[int], Steps]] = {
    "Prune": lambda i: (Prune(sparsity=(0.8, 0.9)[i % 2]),),
    "Binarize": lambda i: (Binarize(),),
    "Quantize(8)": lambda i: (Quantize(bits=8),),
    "Share(32)": lambda i: (Share(n_clusters=32),),
}
FORGET = tuple((Prune(threshold=1e-30 * (1 + i)),) for i in range(KEPT_PLANS + 1))


@dataclass(frozen=True, eq=False)
class Subject:
    """A network under measurement.

    `name`: as in the catalog. `layers`: its compressible layers. `kept`: a buffer for each layer's
    weights, float32. `session`: without data, so that nothing runs in the background.
    """

    name: str
    net: nn.Module
    data: Any
    layers: Mapping[str, IndexedLayer]
    kept: Mapping[str, Tensor]
    session: Session

    @classmethod
    def load(cls, name: str) -> Subject:
        """Load a network: with its bundled weights, or with random ones where there are none."""
        loaded = explorer.load(name, weights=None)
        if loaded.data is not None:
            loaded = explorer.load(name)
        layers = index_layers(loaded.net)
        kept = {key: torch.zeros_like(layer.source) for key, layer in layers.items()}
        return cls(name, loaded.net, loaded.data, layers, kept, Session(loaded.net, device="cpu"))

    @property
    def n_weights(self) -> int:
        """Weights of all compressible layers."""
        return sum(layer.n_weights for layer in self.layers.values())

    @property
    def largest(self) -> str:
        """Name of the layer with the most weights."""
        return max(self.layers, key=lambda name: self.layers[name].n_weights)

    @property
    def largest_quick(self) -> str | None:
        """Name of the largest layer whose factorization takes about a second, if there is one."""
        quick = [name for name, layer in self.layers.items() if is_quick(layer.source)]
        return max(quick, key=lambda name: self.layers[name].n_weights, default=None)

    def copy(self, *names: str) -> None:
        """Copy the weights of some layers, or of all, into the kept buffers."""
        for name in names or self.layers:
            self.kept[name].copy_(self.layers[name].source)

    def forget(self) -> None:
        """Let the session make its next figures from scratch."""
        for steps in FORGET:
            self.session.figures(list(steps))

    def close(self) -> None:
        """End the session."""
        self.session.close()


def forget(layer: IndexedLayer) -> None:
    """Let a layer make its next plan from scratch."""
    for steps in FORGET:
        layer.plan(steps)
