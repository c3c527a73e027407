"""Neurons that are to go fall silent first: what they still emit is folded or zeroed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvTransposeNd

from explorer.compress.networks.plain import copied
from explorer.compress.networks.removal.coupling import Coupling, Slot, is_layer
from explorer.compress.networks.removal.selection import column_use
from explorer.compress.networks.weights import held_tensors

STEADY = 1e-6


@dataclass(frozen=True)
class Silenced:
    """A network of the original sizes in which some parts are silent.

    `net`: in eval mode. `folded`: state-dict keys of biases, and what to add to them once the parts
    are gone. `loud`: bool, one for each part; parts that could not be silenced. `mixed`: bool, one
    for each part; those of them whose channels vary all the same: others come in.
    """

    net: nn.Module
    folded: Mapping[str, Tensor]
    loud: np.ndarray
    mixed: np.ndarray


def silenced(net: nn.Module, coupling: Coupling, gone: np.ndarray, example: Tensor) -> Silenced:
    """Zero all that comes in to the parts in `gone`, and deal with what they emit even so.

    A constant that the next layers' biases can take over exactly stays and is folded;
    otherwise the biases and normalizations of the part are zeroed as well.

    `net`: left unchanged. `gone`: bool, one for each part. `example`: shape (n, ...); constants are
    read off these inputs.
    """
    masked = with_tensors(net, {})
    _zero(masked, coupling.slots, gone, _weights_only)
    readers = [slot for slot in coupling.slots if slot.side == "in" and slot.hit(gone).any()]
    loud, mixed, emitted = _loud(masked, readers, gone, example)
    if loud.any():
        _zero(masked, coupling.slots, loud, _all_tensors)
        loud, mixed, emitted = _loud(masked, readers, gone, example)
    folded = {}
    for slot, constants in zip(readers, emitted, strict=True):
        layer: Any = masked.get_submodule(slot.name)
        values = np.where(slot.hit(gone & ~loud), constants, 0)
        if layer.bias is not None and values.any():
            key = f"{slot.name}.bias".lstrip(".")
            folded[key] = _carried(layer, torch.from_numpy(values))
    return Silenced(masked, folded, loud, mixed)


def with_tensors(net: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Copy a network, in eval mode, with other tensors in place of some of its own."""
    memo: dict[int, Any] = {}
    for name, old in held_tensors(net).items():
        if id(old) in memo:
            continue
        new = tensors[name] if name in tensors else old.detach().clone()
        owned = isinstance(old, nn.Parameter)
        memo[id(old)] = nn.Parameter(new, old.requires_grad) if owned else new
    return copied(net, memo).eval()


def _weights_only(layer: Any, key: str) -> bool:
    return is_layer(layer) and key == "weight"


def _all_tensors(layer: Any, key: str) -> bool:
    return not isinstance(layer, nn.PReLU) and key != "running_var"


def _zero(
    net: nn.Module, slots: tuple[Slot, ...], parts: np.ndarray, which: Callable[[Any, str], bool]
) -> None:
    state = held_tensors(net)
    modules = dict(net.named_modules())
    for slot in slots:
        hit = slot.hit(parts)
        if slot.side == "in" or not hit.any():
            continue
        index = torch.from_numpy(np.flatnonzero(hit))
        for key, axis in slot.axes:
            owner = modules.get(key.rpartition(".")[0]) if slot.name in modules else None
            if which(owner, key.rpartition(".")[2]):
                tensor = state[key].detach()
                tensor.index_fill_(axis, index.to(tensor.device), 0)


def _loud(
    net: nn.Module, readers: list[Slot], gone: np.ndarray, example: Tensor
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return parts that biases cannot take over, those that vary, and what reaches each reader."""
    loud, mixed = np.zeros_like(gone), np.zeros_like(gone)
    emitted = []
    for slot, (low, high) in zip(readers, _ranges(net, readers, example), strict=True):
        layer: Any = net.get_submodule(slot.name)
        steady = high - low <= STEADY * np.maximum(abs(high), abs(low))
        silent = (low == 0) & (high == 0)
        unread = ~column_use(layer)
        fine = silent | unread | (steady & _takes_constants(layer))
        loud[slot.parts[slot.hit(gone) & ~fine]] = True
        mixed[slot.parts[slot.hit(gone) & ~fine & ~steady]] = True
        emitted.append(np.where(unread, 0, (low + high) / 2))
    return loud, mixed, emitted


def _ranges(
    net: nn.Module, readers: list[Slot], example: Tensor
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the least and largest value that reaches each input channel of some layers."""
    found: dict[str, tuple[Tensor, Tensor]] = {}

    def look(name: str, channel: int, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        channels = inputs[0].detach().movedim(channel, -1).flatten(0, -2).double()
        low, high = channels.amin(0), channels.amax(0)
        if name in found:
            low, high = torch.minimum(low, found[name][0]), torch.maximum(high, found[name][1])
        found[name] = low, high

    hooks = []
    for slot in readers:
        layer = net.get_submodule(slot.name)
        channel = -1 if isinstance(layer, nn.Linear) else 1
        hooks.append(layer.register_forward_pre_hook(partial(look, slot.name, channel)))
    try:
        with torch.no_grad():
            net(example.clone())
    finally:
        for hook in hooks:
            hook.remove()
    return [tuple(side.cpu().numpy() for side in found[slot.name]) for slot in readers]  # type: ignore[misc]


def _takes_constants(layer: Any) -> bool:
    """Whether a constant input channel changes each output by a constant that a bias can hold."""
    if layer.bias is None or isinstance(layer, _ConvTransposeNd):
        return False
    if isinstance(layer, nn.Linear) or layer.padding_mode != "zeros" or layer.padding == "valid":
        return True
    if layer.padding == "same":
        return all(size == 1 for size in layer.kernel_size)
    return not any(layer.padding)


def _carried(layer: Any, values: Tensor) -> Tensor:
    """Return what constant input channels, shape (in,), add to each output, shape (out,)."""
    weight = layer.weight.detach()
    groups = getattr(layer, "groups", 1)
    blocks = weight.reshape(groups, -1, *weight.shape[1:])
    columns = values.to(weight.device).reshape(groups, -1)
    total = weight.new_zeros(blocks.shape[:2], dtype=torch.float64)
    for group in range(groups):
        index = columns[group].nonzero().flatten()
        if index.numel():
            table = blocks[group].index_select(1, index).double().unsqueeze(-1).flatten(2).sum(2)
            total[group] = table @ columns[group, index]
    return total.flatten()
