"""Recipe and module to compressed tensors; the source module is never touched."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.factors import FactorStore
from explorer.compress.indexed import IndexedLayer
from explorer.compress.ordering import magnitude_of_rank
from explorer.compress.prune import Prune
from explorer.compress.recipe import Recipe, Steps
from explorer.compress.record import Record
from explorer.compress.weights import compressible, parameter_name


def resolve(recipe: Recipe, layers: Mapping[str, IndexedLayer]) -> dict[str, Steps]:
    """Return each layer's own steps, with pruning over the model turned into its share.

    Parameters
    ----------
    recipe : Recipe
    layers : mapping of str to IndexedLayer
        All compressible layers of the network.

    Returns
    -------
    dict of str to tuple of Setting

    Raises
    ------
    ValueError
        If a pattern matches no layer, or a model-wide step does not come first.
    """
    recipe.check_layers(layers)
    steps = {name: recipe.steps_for(name) for name in layers}
    shared = [
        step
        for step in dict.fromkeys(step for own in steps.values() for step in own)
        if isinstance(step, Prune) and step.scope == "model" and step.sparsity is not None
    ]
    for step in shared:
        members = {name: layers[name] for name in layers if step in steps[name]}
        for name in members:
            if steps[name][0] != step or step in steps[name][1:]:
                raise ValueError(
                    f"recipe: {step.describe()} with scope='model' must be the first step "
                    f"of layer {name!r}, once; it compares original weights across layers"
                )
        counts = _shares(step, members)
        for name, layer in members.items():
            own = replace(step, scope="layer", sparsity=counts[name] / layer.n_weights)
            steps[name] = (own, *steps[name][1:])
    return steps


def _shares(step: Prune, members: Mapping[str, IndexedLayer]) -> dict[str, int]:
    """How many weights each layer loses when one threshold serves all of them."""
    sizes = {name: layer.n_weights for name, layer in members.items()}
    total = step.count(sum(sizes.values()))
    if step.criterion == "random" or total == 0:
        ends = [step.count(end) for end in accumulate(sizes.values(), initial=0)]
        return {name: b - a for name, (a, b) in zip(sizes, pairwise(ends), strict=True)}
    orderings = {name: layer.ordering for name, layer in members.items()}
    limit = magnitude_of_rank(tuple(orderings.values()), total)
    below = {name: o.cut_below(float(limit)).n_pruned for name, o in orderings.items()}
    left = total - sum(below.values())
    for name, ordering in orderings.items():
        ties = min(max(0, left), ordering.count_within(limit) - below[name])
        below[name] += ties
        left -= ties
    return below


@dataclass(frozen=True, eq=False)
class CompressedTensors:
    """The tensors of a compressed network: a record for each compressed weight, all else as it was.

    Attributes
    ----------
    records : mapping of str to Record
        By layer name; layers without steps are dense records.
    untouched : mapping of str to Tensor
        State-dict entries that no step applies to: biases, normalization, buffers.
    recipe : Recipe
        What was applied.
    template : Module or None
        The network's architecture; None for a file of an unknown network.
    network : str
        Name of a network that the catalog knows; "" for any other.
    """

    records: Mapping[str, Record]
    untouched: Mapping[str, Tensor]
    recipe: Recipe
    template: nn.Module | None
    network: str = ""

    def __getitem__(self, layer: str) -> Record:
        if layer not in self.records:
            raise KeyError(
                f"layer {layer!r} is not in this model; its layers are: {', '.join(self.records)}"
            )
        return self.records[layer]

    @property
    def original_bytes(self) -> int:
        """Bytes of every parameter and buffer of the original network."""
        weights = sum(r.n_weights * r.dtype.itemsize for r in self.records.values())
        return weights + sum(t.numel() * t.element_size() for t in self.untouched.values())

    def state_dict(self) -> dict[str, Tensor]:
        """Return the decoded tensors under the network's state-dict keys."""
        state = {parameter_name(name): record.restore() for name, record in self.records.items()}
        return state | {name: tensor.clone() for name, tensor in self.untouched.items()}

    def restore(self, net: nn.Module | None = None) -> nn.Module:
        """Return a new module that holds the decoded weights.

        Parameters
        ----------
        net : Module, optional
            Architecture to fill; a copy is made. Needed only for a file whose
            network the catalog does not know.

        Raises
        ------
        ValueError
            If the architecture is unknown and `net` is not given, or does not fit.
        """
        template = net if net is not None else self.template
        if template is None:
            raise ValueError(
                "this file's network is not in the catalog: pass an instance of its module, "
                "as in restore(net)"
            )
        module = copy.deepcopy(template)
        try:
            module.load_state_dict(_with_tied(self.state_dict(), module))
        except RuntimeError as error:
            raise ValueError(f"net does not fit this file: {error}") from error
        return module.eval()


def _with_tied(state: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """Give parameters that share a tensor their value under each of their names."""
    tensors = module.state_dict(keep_vars=True)
    known = {id(tensor): state[name] for name, tensor in tensors.items() if name in state}
    tied = {name: known[id(tensor)] for name, tensor in tensors.items() if id(tensor) in known}
    return tied | state


def untouched_tensors(net: nn.Module) -> dict[str, Tensor]:
    """Return copies of the state-dict entries that are no compressible weights."""
    weights = {id(weight) for weight in compressible(net).values()}
    return {
        name: tensor.detach().clone()
        for name, tensor in net.state_dict(keep_vars=True).items()
        if id(tensor) not in weights
    }


def compress_layers(
    net: nn.Module, recipe: Any, layers: Mapping[str, IndexedLayer], network: str = ""
) -> CompressedTensors:
    """Compress a network whose layers are indexed already.

    Parameters
    ----------
    net : Module
        Left unchanged.
    recipe : Recipe, list of Setting, or dict of patterns
    layers : mapping of str to IndexedLayer
        All compressible layers of `net`.
    network : str
        The catalog's name of the network, if it has one.

    Returns
    -------
    CompressedTensors
    """
    parsed = Recipe.of(recipe)
    steps = resolve(parsed, layers)
    with torch.no_grad():
        records = {name: layer.record(steps[name]) for name, layer in layers.items()}
    return CompressedTensors(records, untouched_tensors(net), parsed, net, network)


def index_layers(net: nn.Module, store: FactorStore | None = None) -> dict[str, IndexedLayer]:
    """Return the compressible layers of a network, ready to be indexed.

    Parameters
    ----------
    net : Module
    store : FactorStore, optional
        Where factors that took long are kept between runs.
    """
    return {name: IndexedLayer(name, weight, store) for name, weight in compressible(net).items()}
