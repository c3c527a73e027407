"""From the plans of all layers to the figures of the whole network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from explorer.codec.file import Entry, file_bytes, untouched_entries
from explorer.compress.indexed import IndexedLayer
from explorer.compress.plan import Plan
from explorer.compress.recipe import Recipe, Steps
from explorer.measure.energy import estimate
from explorer.measure.result import LayerFigures, Result


@dataclass(frozen=True)
class Network:
    """What the figures need to know of a network.

    Attributes
    ----------
    layers : mapping of str to IndexedLayer
    untouched : mapping of str to Tensor
        State-dict entries that are no compressible weights.
    macs : mapping of str to int
        Multiply-accumulates of each layer; empty where the input shape is unknown.
    name : str
        As in the catalog, or "".
    """

    layers: Mapping[str, IndexedLayer]
    untouched: Mapping[str, Tensor]
    macs: Mapping[str, int]
    name: str = ""

    @property
    def original_bytes(self) -> int:
        """Bytes of every parameter and buffer."""
        weights = sum(layer.original_bits for layer in self.layers.values()) // 8
        return weights + sum(t.numel() * t.element_size() for t in self.untouched.values())


def figures(
    network: Network, recipe: Recipe, steps: Mapping[str, Steps], plans: Mapping[str, Plan]
) -> Result:
    """Draw up the figures; no weight is rewritten.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    steps : mapping of str to tuple of Setting
        The steps of each layer, as `explorer.compress.model.resolve` gives them.
    plans : mapping of str to Plan
        The plan of each layer.

    Returns
    -------
    Result
        Without accuracy.
    """
    rows = tuple(
        _row(layer, steps[name], plans[name], network.macs.get(name))
        for name, layer in network.layers.items()
    )
    entries = [
        Entry(name, layer.shape, layer.dtype, plans[name].layout)
        for name, layer in network.layers.items()
    ]
    size = file_bytes([*entries, *untouched_entries(network.untouched)], recipe, network.name)
    result = Result(
        rows,
        network.original_bytes,
        size,
        size - math.ceil(sum(row.size_bits for row in rows) / 8),
    )
    return _with_energy(result)


def _row(layer: IndexedLayer, steps: Steps, plan: Plan, macs: int | None) -> LayerFigures:
    norm = layer.ordering.squared_norm
    share = plan.n_nonzero / layer.n_weights
    if plan.rank is not None:
        share = min(share, plan.rank * sum(layer.matrix.shape) / layer.n_weights)
    return LayerFigures(
        name=layer.name,
        shape=tuple(layer.shape),
        n_weights=layer.n_weights,
        n_nonzero=plan.n_nonzero,
        original_bits=layer.original_bits,
        size_bits=sum(plan.field_bits),
        error=math.sqrt(max(0.0, plan.squared_error) / norm) if norm > 0 else 0.0,
        macs=None if macs is None else round(macs * share),
        original_macs=macs,
        steps=tuple(step.describe() for step in steps),
        note="" if plan.exact else "randomized factors; exact ones follow",
    )


def _with_energy(result: Result) -> Result:
    if result.macs is None or result.original_macs is None:
        return result
    return replace(
        result,
        energy_pj=estimate(8 * result.size_bytes, result.macs).total_pj,
        original_energy_pj=estimate(8 * result.original_bytes, result.original_macs).total_pj,
    )
