"""Weights in half precision: written with 16 bits a number, used with 32."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn


def to_half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Round floating-point tensors to half precision; others stay as they are.

    Parameters
    ----------
    tensors : mapping of str to Tensor

    Returns
    -------
    dict of str to Tensor
        float16, to the nearest, ties to even; contiguous.

    Raises
    ------
    ValueError
        If a value is too large for half precision, whose greatest is 65,504.
    """
    halves = {}
    for name, tensor in tensors.items():
        half = tensor.detach().half() if tensor.is_floating_point() else tensor.detach()
        if bool(half.isinf().any()) and not bool(tensor.isinf().any()):
            raise ValueError(
                f"tensors: {name} holds {tensor.abs().max().item():g}, and half precision ends at "
                "65,504; keep these weights in single precision"
            )
        halves[name] = half.contiguous()
    return halves


def from_half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give half-precision tensors as float32; others are handed through, not copied.

    Parameters
    ----------
    tensors : mapping of str to Tensor
    """
    return {
        name: tensor.float() if tensor.dtype == torch.float16 else tensor
        for name, tensor in tensors.items()
    }


def rounded(net: nn.Module) -> nn.Module:
    """Return a copy of a network whose weights are what half precision keeps of them.

    Parameters
    ----------
    net : Module
        Left unchanged.

    Returns
    -------
    Module
        In float32, in the mode of `net`.
    """
    twin = copy.deepcopy(net)
    twin.load_state_dict(from_half(to_half(net.state_dict())))
    return twin
