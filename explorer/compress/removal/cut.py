"""The tensors of a silenced network without what is gone, and the indices that are left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explorer.compress.removal.groups import Coupling
from explorer.compress.removal.silence import Silenced, with_tensors
from explorer.compress.shapes import match_attributes
from explorer.compress.weights import compressible, held_tensors, parameter_name

Left = Mapping[str, Mapping[int, Tensor]]


def left_over(net: nn.Module, coupling: Coupling, gone: np.ndarray) -> Left:
    """Return, for each state-dict key and dimension that shrinks, the indices that stay."""
    state = held_tensors(net)
    left: dict[str, dict[int, Tensor]] = {}
    for slot in coupling.slots:
        hit = slot.hit(gone)
        if hit.any():
            stay = np.flatnonzero(~hit)
            for key, axis in slot.axes:
                # In grouped convolutions the first group's columns stand for all groups'.
                size = state[key].shape[axis]
                left.setdefault(key, {})[axis] = torch.from_numpy(stay[stay < size])
    return left


def cut(silent: Silenced, left: Left) -> nn.Module:
    """Return a copy of a silenced network that holds only what is left, constants folded."""
    tensors = {}
    for key, tensor in held_tensors(silent.net).items():
        new = tensor.detach()
        if key in silent.folded:
            new = new + silent.folded[key].to(new)
        for axis, index in left.get(key, {}).items():
            new = new.index_select(axis, index.to(new.device))
        tensors[key] = new.clone() if new.data_ptr() == tensor.data_ptr() else new
    small = with_tensors(silent.net, tensors)
    match_attributes(small.modules())
    return small


def outputs_left(net: nn.Module, left: Left) -> dict[str, Tensor]:
    """Return the output channels that each dense or convolutional layer still has."""
    found = {}
    for name, weight in compressible(net).items():
        layer: Any = net.get_submodule(name)
        axis = 1 if getattr(layer, "transposed", False) else 0
        found[name] = _indices(left, name, axis, weight)
        if axis == 1 and layer.groups > 1:
            found[name] = torch.arange(layer.out_channels)
    return found


def matrices_left(net: nn.Module, left: Left) -> dict[str, tuple[Tensor, Tensor]]:
    """Return the rows and columns that are left of each layer's matrix (out, in * kh * kw)."""
    found = {}
    for name, weight in compressible(net).items():
        rows, columns = _indices(left, name, 0, weight), _indices(left, name, 1, weight)
        places = weight[0, 0].numel()
        found[name] = rows, (columns[:, None] * places + torch.arange(places)).flatten()
    return found


def _indices(left: Left, layer: str, axis: int, weight: Tensor) -> Tensor:
    all_of_them = torch.arange(weight.shape[axis])
    return left.get(parameter_name(layer), {}).get(axis, all_of_them)
