"""How much of what enters each layer is not zero."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import Inputs, call, eval_mode, own_copy, tensors_of
from explorer.compress.networks.weights import compressible


def input_density(net: nn.Module, inputs: Inputs) -> dict[str, float]:
    """Measure the fraction of nonzero values that enter each layer.

    `net`: left unchanged, training flags included. `inputs`: shape (n, ...), or a tuple or dict of
    them; left unchanged. A batch of samples, at least one. Returns: by layer name, for the dense
    and convolutional layers that the samples reach and that are called with a tensor. Those that
    read the samples themselves have 1.0, as in the paper. Raises ValueError if there is no sample,
    or no such layer.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient
    neural networks". NeurIPS 2015. arXiv:1506.02626.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1)).requires_grad_(False)
    >>> _ = net[0].weight.copy_(torch.tensor([[1.0], [-1.0]])), net[0].bias.zero_()
    >>> input_density(net, torch.ones(5, 1))
    {'0': 1.0, '2': 0.5}
    """
    given = own_copy(inputs)
    first = tensors_of(given)[0]
    if not len(first):
        raise ValueError("inputs: expected at least one sample, got none")
    counts: dict[str, list[int]] = {}
    hooks = [
        net.get_submodule(name).register_forward_pre_hook(partial(_count, counts, name, first))
        for name in compressible(net)
    ]
    try:
        with eval_mode(net), torch.inference_mode():
            call(net, given)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: filled / entered for name, (filled, entered) in counts.items()}


def _count(
    counts: dict[str, list[int]], name: str, samples: Tensor, _layer: nn.Module, args: Any
) -> None:
    """Count what enters a layer; a forward hook."""
    entering = args[0] if args else None
    if not isinstance(entering, Tensor):
        return
    whole = entering.numel()
    raw = entering.data_ptr() == samples.data_ptr()
    so_far = counts.setdefault(name, [0, 0])
    so_far[0] += whole if raw else int(torch.count_nonzero(entering))
    so_far[1] += whole
