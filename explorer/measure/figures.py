"""From the plans of all layers to the figures of the whole network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from torch import Tensor

from explorer.codec.file import Entry, file_bytes, untouched_entries
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plan import Plan
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.compress.networks.weights import Coverage
from explorer.measure.anatomy import Anatomy
from explorer.measure.energy_bill import energy_bills
from explorer.measure.result import LayerFigures, Result

NO_NOTES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Network:
    """What the figures need to know of a network.

    `untouched`: state-dict entries that are no compressible weights. `anatomy`: what its layers
    multiply and produce; None where the input shape is unknown. `macs`: multiply-accumulates of
    each layer with its weight, as `layer_macs` counts them; empty where the input shape is unknown.
    `name`: as in the catalog, or "". `origin`: the network that this one was before it lost neurons
    or was trained further. `retrained`: whether it was trained since: its own weights are then what
    errors are taken from. `coverage`: how much of it the steps apply to. `folded`: layers whose
    weights were computed and were made plain, and from what.
    """

    layers: Mapping[str, IndexedLayer]
    untouched: Mapping[str, Tensor]
    anatomy: Anatomy | None
    macs: Mapping[str, int]
    name: str = ""
    origin: Network | None = None
    retrained: bool = False
    coverage: Coverage | None = None
    folded: tuple[str, ...] = ()

    @property
    def first(self) -> Network:
        """The network that sizes are compared with: the one it all began with."""
        return self.origin.first if self.origin else self

    @property
    def reference(self) -> Network:
        """The network that errors are taken from."""
        return self if self.origin is None or self.retrained else self.origin.reference

    @property
    def source_bytes(self) -> int | None:
        """What the file tells of the size at first; None where no tensor has changed its size."""
        first = self.first
        changed = self.original_bytes != first.original_bytes
        reduced = self.origin is not None and not self.retrained
        return first.original_bytes if changed or reduced else None

    @property
    def other_macs(self) -> int | None:
        """Multiply-accumulates that no compressible weight takes part in; None if unknown."""
        return None if self.anatomy is None else self.anatomy.macs - sum(self.macs.values())

    @property
    def original_bytes(self) -> int:
        """Bytes of every parameter and buffer."""
        weights = sum(layer.original_bits for layer in self.layers.values()) // 8
        return weights + sum(t.numel() * t.element_size() for t in self.untouched.values())


def figures(
    network: Network,
    recipe: Recipe,
    steps: Mapping[str, Steps],
    plans: Mapping[str, Plan],
    notes: Mapping[str, str] = NO_NOTES,
) -> Result:
    """Draw up the figures; no weight is rewritten.

    `steps`: the steps of each layer, as `explorer.compress.networks.planner.resolve` gives them.
    `plans`: the plan of each layer. `notes`: why a step left a layer alone. Returns: without
    accuracy.
    """
    original_bytes = network.first.original_bytes
    rows = tuple(
        _row(name, network, steps[name], plan, notes.get(name, "")) for name, plan in plans.items()
    )
    entries = [
        Entry(name, layer.shape, layer.dtype, plans[name].layout)
        for name, layer in network.layers.items()
    ]
    listed = [*entries, *untouched_entries(network.untouched)]
    size = file_bytes(listed, recipe, network.name, network.source_bytes)
    compressed = math.ceil(sum(row.size_bits for row in rows) / 8)
    found = network.first.anatomy
    result = Result(
        rows,
        original_bytes,
        size,
        size - compressed,
        other_macs=network.other_macs,
        original_other_macs=network.first.other_macs,
        uncounted=found.uncounted if found else (),
        coverage=network.first.coverage,
        folded=network.first.folded,
    )
    return _with_energy(result, found)


def _row(name: str, network: Network, steps: Steps, plan: Plan, note: str) -> LayerFigures:
    layer, original = network.layers[name], network.first.layers[name]
    reference = network.reference.layers[name]
    norm = reference.ordering.squared_norm
    removed = norm - layer.ordering.squared_norm if layer is not reference else 0.0
    macs = network.macs.get(name)
    return LayerFigures(
        name=name,
        shape=tuple(layer.shape),
        n_weights=original.n_weights,
        n_nonzero=plan.n_nonzero,
        original_bits=original.original_bits,
        size_bits=sum(plan.field_bits),
        error=math.sqrt(max(0.0, removed + plan.squared_error) / norm) if norm > 0 else 0.0,
        macs=None if macs is None else round(macs * _multiplied(layer, plan)),
        original_macs=network.first.macs.get(name),
        steps=tuple(step.describe() for step in steps),
        note=note or ("" if plan.exact else "randomized factors; exact ones follow"),
    )


def _multiplied(layer: IndexedLayer, plan: Plan) -> float:
    """Share of the layer's multiplications that are left."""
    share = plan.n_nonzero / layer.n_weights
    if plan.rank is not None:
        share = min(share, plan.rank * sum(layer.matrix.shape) / layer.n_weights)
    return share


def _with_energy(result: Result, found: Anatomy | None) -> Result:
    bills = None if found is None else energy_bills(found, result)
    if bills is None:
        return result
    after, before = bills.after.total_pj, bills.before.total_pj
    return replace(result, energy_pj=after, original_energy_pj=before)
