"""From a recipe to each layer's own steps: what the whole model decides is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from explorer.compress.indexed import IndexedLayer
from explorer.compress.lowest import PruneLowest
from explorer.compress.ordering import magnitude_of_rank
from explorer.compress.prune import Prune
from explorer.compress.recipe import Recipe, Steps

Layers = Mapping[str, IndexedLayer]
Saliency = Mapping[str, Tensor]


def layer_steps(recipe: Recipe, layers: Layers) -> dict[str, Steps]:
    """Return the steps of each layer as the recipe has them.

    Raises
    ------
    ValueError
        If a pattern matches no layer.
    """
    recipe.check_layers(layers)
    return {name: recipe.steps_for(name) for name in layers}


def needs_saliency(steps: Mapping[str, Steps]) -> bool:
    """Whether any step prunes by a saliency that must be measured."""
    return any(
        isinstance(step, Prune) and step.criterion == "obd"
        for own in steps.values()
        for step in own
    )


def resolve(
    steps: Mapping[str, Steps], layers: Layers, saliency: Saliency | None = None
) -> dict[str, Steps]:
    """Return each layer's own steps, with what concerns the whole model turned into its share.

    Parameters
    ----------
    steps : mapping of str to tuple of Setting
        As `layer_steps` gives them.
    layers : mapping of str to IndexedLayer
        All compressible layers of the network.
    saliency : mapping of str to Tensor, optional
        What losing each weight costs, for ``Prune(criterion="obd")``.

    Returns
    -------
    dict of str to tuple of Setting

    Raises
    ------
    ValueError
        If a step over the model, or by saliency, does not come first, or saliency is missing.
    """
    resolved = dict(steps)
    pruning = [step for own in steps.values() for step in own if isinstance(step, Prune)]
    for step in dict.fromkeys(filter(_is_shared, pruning)):
        members = {name: layers[name] for name in layers if step in steps[name]}
        for name in members:
            _check_first(step, name, steps[name])
        for name, own in _shares(step, members, saliency).items():
            resolved[name] = (own, *resolved[name][1:])
    return {name: _keeping(layers[name], own) for name, own in resolved.items()}


def _keeping(layer: IndexedLayer, steps: Steps) -> Steps:
    """Keep the zeros of a pruning mask, where the steps do not begin by pruning."""
    if not layer.keeps_zeros or not steps or isinstance(steps[0], (Prune, PruneLowest)):
        return steps
    return (Prune(sparsity=0.0), *steps)


def _is_shared(step: Prune) -> bool:
    return step.criterion == "obd" or (step.scope == "model" and step.sparsity is not None)


def _check_first(step: Prune, name: str, steps: Steps) -> None:
    if steps[0] == step and step not in steps[1:]:
        return
    which = "scope='model'" if step.scope == "model" else "criterion='obd'"
    raise ValueError(
        f"recipe: {step.describe()} with {which} must be the first step "
        f"of layer {name!r}, once; it goes by the original weights of the network"
    )


def _shares(
    step: Prune, members: Layers, saliency: Saliency | None
) -> dict[str, Prune | PruneLowest]:
    if step.criterion != "obd":
        counts = _counts_by_magnitude(step, members)
        return {
            name: replace(step, scope="layer", sparsity=counts[name] / layer.n_weights)
            for name, layer in members.items()
        }
    if saliency is None:
        raise ValueError(
            "recipe: Prune(criterion='obd') goes by second derivatives of the loss, which need "
            "data: pass data with samples to tune on, for example compress(net, recipe, data=data)"
        )
    counts = _counts_by_saliency(step, members, saliency)
    return {name: PruneLowest(saliency[name], counts[name]) for name in members}


def _counts_by_magnitude(step: Prune, members: Layers) -> dict[str, int]:
    """How many weights each layer loses when one threshold serves all of them."""
    sizes = {name: layer.n_weights for name, layer in members.items()}
    total = step.count(sum(sizes.values()))
    if step.criterion == "random" or total == 0:
        ends = [step.count(end) for end in accumulate(sizes.values(), initial=0)]
        return {name: b - a for name, (a, b) in zip(sizes, pairwise(ends), strict=True)}
    orderings = {name: layer.ordering for name, layer in members.items()}
    limit = magnitude_of_rank(tuple(orderings.values()), total)
    below = {name: o.cut_below(float(limit)).n_pruned for name, o in orderings.items()}
    at_limit = {name: o.count_within(limit) - below[name] for name, o in orderings.items()}
    return _with_ties(below, at_limit, total)


def _counts_by_saliency(step: Prune, members: Layers, saliency: Saliency) -> dict[str, int]:
    if step.scope == "layer":
        return {name: step.count(layer.n_weights) for name, layer in members.items()}
    flat = {name: saliency[name].flatten() for name in members}
    total = step.count(sum(values.numel() for values in flat.values()))
    if total == 0:
        return dict.fromkeys(members, 0)
    limit = torch.cat(list(flat.values())).kthvalue(total).values
    below = {name: int((values < limit).sum()) for name, values in flat.items()}
    at_limit = {name: int((values == limit).sum()) for name, values in flat.items()}
    return _with_ties(below, at_limit, total)


def _with_ties(below: dict[str, int], at_limit: Mapping[str, int], total: int) -> dict[str, int]:
    """Add weights that stand at the limit, first layers first, until `total` go."""
    left = total - sum(below.values())
    counts = {}
    for name, count in below.items():
        ties = min(max(0, left), at_limit[name])
        counts[name] = count + ties
        left -= ties
    return counts
