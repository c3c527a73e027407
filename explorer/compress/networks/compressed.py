"""Recipe and module to compressed tensors; the source module is never touched."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.factored import factored as split
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plain import copied, plain_network, plain_notes
from explorer.compress.networks.planner import PlannedRecipe
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.compress.networks.resizing import fit_shapes
from explorer.compress.networks.weights import (
    Coverage,
    compressible,
    coverage,
    held_tensors,
    left_alone_notes,
    parameter_name,
)
from explorer.compress.records.record import Record


@dataclass(frozen=True, eq=False)
class CompressedTensors:
    """The tensors of a compressed network: a record for each compressed weight, all else as it was.

    `records`: by layer name; layers without steps are dense records. `untouched`: state-dict
    entries that no step applies to: biases, normalization, buffers. `recipe`: what was applied.
    `template`: the network's architecture, which may be on the meta device; None for a file of an
    unknown network. `network`: name of a network that the catalog knows; "" for any other.
    `source_bytes`: bytes of the original network where neurons were removed; None where all its
    tensors have kept their size. `notes`: layers that a step left alone, and why. Not kept in the
    file.
    """

    records: Mapping[str, Record]
    untouched: Mapping[str, Tensor]
    recipe: Recipe
    template: nn.Module | None
    network: str = ""
    source_bytes: int | None = None
    notes: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, layer: str) -> Record:
        if layer not in self.records:
            raise KeyError(
                f"layer {layer!r} is not in this model; its layers are: {', '.join(self.records)}"
            )
        return self.records[layer]

    @property
    def coverage(self) -> Coverage | None:
        """How much of the network the steps apply to; None where its architecture is unknown."""
        return None if self.template is None else coverage(self.template)

    @property
    def original_bytes(self) -> int:
        """Bytes of every parameter and buffer of the original network."""
        if self.source_bytes is not None:
            return self.source_bytes
        weights = sum(r.n_weights * r.dtype.itemsize for r in self.records.values())
        return weights + sum(t.numel() * t.element_size() for t in self.untouched.values())

    def state_dict(self) -> dict[str, Tensor]:
        """Return the decoded tensors under the network's state-dict keys."""
        state = {parameter_name(name): record.restore() for name, record in self.records.items()}
        return state | {name: tensor.clone() for name, tensor in self.untouched.items()}

    def restore(self, net: nn.Module | None = None, *, factored: bool = False) -> nn.Module:
        """Return a new module that holds the decoded weights.

        `net`: architecture to fill; a copy is made. Needed only for a file whose network the
        catalog does not know. `factored`: give each low-rank layer as two smaller layers, where
        that makes fewer multiplications; a layer that cannot be split stays whole. Raises
        ValueError if the architecture is unknown and `net` is not given, or does not fit.
        """
        template = net if net is not None else self.template
        if template is None:
            raise ValueError(
                "this file's network is not in the catalog: pass an instance of its module, "
                "as in restore(net)"
            )
        module = copied(plain_network(template, only_run=True))
        state = with_tied(self.state_dict(), module)
        try:
            _check_complex(state, module)
            if self.source_bytes is not None:
                fit_shapes(module, state)
            held = module.state_dict(keep_vars=True)
            extra = {n: value for n, value in held.items() if not isinstance(value, Tensor)}
            hollow = any(value.is_meta for n, value in held.items() if n not in extra)
            given = extra | (_in_types_of(module, state) if hollow else state)
            module.load_state_dict(_with_versions(given, module), assign=hollow)
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"net does not fit this file: {error}") from error
        module.eval()
        return split(module, self.records).net if factored else module


def with_tied(state: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """Give parameters that share a tensor their value under each of their names."""
    tensors = held_tensors(module)
    known = {id(tensor): state[name] for name, tensor in tensors.items() if name in state}
    tied = {name: known[id(tensor)] for name, tensor in tensors.items() if id(tensor) in known}
    return tied | state


def _check_complex(state: dict[str, Tensor], module: nn.Module) -> None:
    """Raise ValueError where an imaginary part would be lost."""
    for name, tensor in held_tensors(module).items():
        if name in state and state[name].is_complex() and not tensor.is_complex():
            raise ValueError(f"tensor {name!r} is complex, that of the network is not")


def _in_types_of(module: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give tensors the types that the module's own have."""
    own = held_tensors(module)
    return {n: t.to(own[n].dtype) if n in own else t for n, t in state.items()}


def _with_versions(state: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """Add what the module's own state dict says of its layers' versions, which some ask for."""
    versioned: Any = OrderedDict(state)
    versioned._metadata = getattr(module.state_dict(keep_vars=True), "_metadata", {})
    return versioned


def untouched_tensors(net: nn.Module) -> dict[str, Tensor]:
    """Return copies of the state-dict entries that are no compressible weights."""
    weights = {id(weight) for weight in compressible(net).values()}
    return {
        name: tensor.detach().clone()
        for name, tensor in held_tensors(net).items()
        if id(tensor) not in weights
    }


def compress_planned(
    net: nn.Module, planned: PlannedRecipe, network: str = ""
) -> CompressedTensors:
    """Compress `net`, left unchanged, as planned; `network` is its name in the catalog."""
    small, size = planned.network, None
    if planned.reduction is not None:
        tensors = [*compressible(net).values(), *untouched_tensors(net).values()]
        size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return CompressedTensors(
        _records(planned.steps, planned.layers),
        untouched_tensors(small),
        planned.recipe,
        small,
        network,
        size,
        _notes(net) | dict(planned.notes),
    )


def _notes(net: nn.Module) -> dict[str, str]:
    """Return which modules are left alone, and whose weights were made plain, in words."""
    return left_alone_notes(net) | plain_notes(net)


def _records(steps: Mapping[str, Steps], layers: Mapping[str, IndexedLayer]) -> dict[str, Record]:
    with torch.no_grad():
        return {name: layer.record(steps[name]) for name, layer in layers.items()}
