"""Masks: which weights may live; the others stay exactly zero through training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.layer import index_layers
from explorer.compress.networks.plain import plain_network
from explorer.compress.networks.planner import layer_steps, needs_saliency, resolve
from explorer.compress.networks.recipe import Recipe
from explorer.compress.networks.weights import compressible

Masks = Mapping[str, Tensor]


def masks_of(net: nn.Module) -> dict[str, Tensor]:
    """Return where a network's weights are not zero.

    Returns: by layer name, bool, the shape of the weight, True where it is not zero. Layers without
    zeros are left out.
    """
    nonzero = {
        name: weight.detach() != 0 for name, weight in compressible(plain_network(net)).items()
    }
    return {name: mask for name, mask in nonzero.items() if not bool(mask.all())}


def pruning_masks(
    net: nn.Module, recipe: Any, batches: Iterable[tuple[Tensor, Any]] = ()
) -> dict[str, Tensor]:
    """Return which weights a recipe's pruning leaves.

    `net`: left unchanged. `recipe`: steps such as ``Prune(sparsity=0.9)``. `batches`: for
    ``Prune(criterion="obd")``, which measures the loss's second derivatives. Returns: by layer
    name, bool, the shape of the weight, True where kept. Layers that lose nothing are left out.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient neural
    networks". NeurIPS 2015. arXiv:1506.02626.
    """
    net = plain_network(net)
    layers = index_layers(net)
    steps = layer_steps(Recipe.of(recipe), layers)
    saliency = None
    if needs_saliency(steps):
        from explorer.compress.networks.curvature import saliencies

        saliency = saliencies(net, batches)
    resolved = resolve(steps, layers, saliency)
    with torch.no_grad():
        found = {name: layer.record(resolved[name]).mask for name, layer in layers.items()}
    return {name: mask for name, mask in found.items() if mask is not None and not mask.all()}


def check_masks(masks: Masks | None, layers: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the masks on the weights' devices.

    Raises ValueError if a name is not that of a layer, or a shape is not the weight's. Raises
    TypeError if a mask is not a bool tensor.
    """
    checked = {}
    for name, mask in (masks or {}).items():
        if name not in layers:
            raise ValueError(
                f"masks: {name!r} is not a layer of the network; its layers are: "
                f"{', '.join(layers)}"
            )
        if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
            kind = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
            raise TypeError(f"masks: {name!r} must be a bool tensor, True where kept; got {kind}")
        if mask.shape != layers[name].shape:
            raise ValueError(
                f"masks: {name!r} must have the weight's shape {tuple(layers[name].shape)}; "
                f"got {tuple(mask.shape)}"
            )
        checked[name] = mask.to(layers[name].device)
    return checked


def clear_gradients(layers: Mapping[str, Tensor], masks: Masks) -> None:
    """Set the gradients of pruned weights to zero, in place.

    An optimizer whose state is zero there leaves such weights exactly where they are.
    """
    for name, mask in masks.items():
        gradient = layers[name].grad
        if gradient is not None:
            gradient.masked_fill_(~mask, 0)


def clear_pruned(
    layers: Mapping[str, Tensor], masks: Masks, optimizer: torch.optim.Optimizer
) -> None:
    """Set pruned weights, and what an optimizer remembers of them, to zero, in place."""
    with torch.no_grad():
        for name, mask in masks.items():
            weight = layers[name]
            weight.masked_fill_(~mask, 0)
            for state in optimizer.state.get(weight, {}).values():
                if isinstance(state, Tensor) and state.shape == weight.shape:
                    state.masked_fill_(~mask, 0)
