"""Scores that are no numbers: which samples, from which layer on, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import Inputs, call, tensors_of


def not_finite_rows(scores: Tensor) -> Tensor:
    """Return which samples have a NaN or infinite score; shape (n,), bool."""
    return ~scores.isfinite().flatten(1).all(1)


def check_inputs(inputs: Inputs, bad: Tensor, first: int) -> None:
    """Raise ValueError where samples that were answered by no number hold NaN themselves.

    `inputs`: a batch, as the network was given it. `bad`: shape (n,), bool; samples whose scores
    are no numbers. `first`: number of the batch's first sample in the data, for the message.
    """
    holds = torch.zeros(len(bad), dtype=torch.bool)
    for tensor in tensors_of(inputs):
        if tensor.is_floating_point() and len(tensor) == len(bad):
            holds |= (
                tensor.cpu().flatten(1).isnan().any(1) if tensor.ndim > 1 else tensor.cpu().isnan()
            )
    blamed = (holds & bad.cpu()).nonzero()
    if len(blamed):
        raise ValueError(
            f"data: the input of sample {first + int(blamed[0])} holds NaN ({len(blamed)} of the "
            f"{len(bad)} samples looked at together do), and its scores are NaN; repair or leave "
            "out these samples"
        )


def first_layer(net: nn.Module, inputs: Inputs) -> str:
    """Return the first layer that makes NaN or infinite values of finite ones, in words.

    `net`: run once more, with hooks that are taken off again. Returns: such as ``"fc2 (Linear)"``;
    "" where none is found.
    """
    found: list[str] = []

    def look(name: str, module: nn.Module, args: Any, output: Any) -> None:
        if not found and not _finite(output) and _finite(args):
            found.append(f"{name or 'the network itself'} ({type(module).__name__})")

    hooks = [
        module.register_forward_hook(lambda m, args, output, name=name: look(name, m, args, output))
        for name, module in net.named_modules()
    ]
    try:
        with torch.inference_mode():
            call(net, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else ""


def _finite(value: Any) -> bool:
    return all(bool(t.isfinite().all()) for t in _tensors(value) if t.is_floating_point())


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)


def note(n_bad: int, n: int, layer: str) -> str:
    """Return a sentence on scores that are no numbers; "" where there are none."""
    if not n_bad:
        return ""
    since = f", from layer {layer} on" if layer else ""
    return (
        f"{n_bad:,} of {n:,} samples are answered by NaN or infinite scores{since}; they count as "
        "wrong"
    )
