"""Architectures on the meta device: all but the weights."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.data import TensorDataset

from explorer.zoo.catalog import load
from explorer.zoo.loaded import Data


class _EmptyOnMeta(TorchFunctionMode):
    """Makes new weights on the meta device; what a network computes to be built stays real."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        given = dict(kwargs or {})
        if func is torch.empty:
            given["device"] = "meta"
        return func(*args, **given)


def hollow_network(name: str) -> nn.Module:
    """Build a network of the catalog whose large tensors are on the meta device.

    `name`: as `explorer.load` takes it. Returns: in eval mode. Its tensors must be replaced before
    it can run. Raises ValueError if the name is unknown.
    """
    nothing = Data(TensorDataset(), TensorDataset())
    with _EmptyOnMeta():
        return load(name, weights=None, data=nothing).net


def hollow_copy(net: nn.Module) -> nn.Module:
    """Copy a network, but for what its state dict names: that is on the meta device.

    `net`: left unchanged.
    """
    own = net.state_dict(keep_vars=True).values()
    return copy.deepcopy(net, {id(tensor): _hollow(tensor) for tensor in own})


def _hollow(tensor: Tensor) -> Tensor:
    empty = torch.empty_like(tensor, device="meta")
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(empty, requires_grad=tensor.requires_grad)
    return empty
