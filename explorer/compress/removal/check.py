"""Whether a reduced network does what the silenced one does, and where it first does not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

Kept = Mapping[str, Tensor]
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5, torch.float16: 2e-2, torch.bfloat16: 1e-1}


class Mismatch(Exception):
    """The reduced network computes something else; at `layers`, where that is known."""

    def __init__(self, layers: set[str]) -> None:
        super().__init__(", ".join(sorted(layers)))
        self.layers = layers


def compare(masked: nn.Module, net: nn.Module, kept: Kept, example: Tensor) -> None:
    """Run both networks side by side.

    Parameters
    ----------
    masked, net : Module
        The silenced and the reduced network, in eval mode.
    kept : mapping of str to Tensor
        For each dense or convolutional layer the output channels that `net` still has.
    example : Tensor, shape (n, ...)

    Raises
    ------
    Mismatch
        If a layer's outputs differ by more than rounding, or `net` cannot run.
    """
    trail: list[tuple[str, Tensor]] = []
    with torch.no_grad():
        expected = _watched(masked, kept, lambda *seen: trail.append(seen), example)
        check = _Check(trail, kept)
        try:
            _watched(net, kept, check, example)
            found = flat(net(example.clone()))
        except Exception as error:
            raise Mismatch(check.bad) from error
    if check.bad or not _alike(expected, found):
        raise Mismatch(check.bad)


class _Check:
    """Compares the layers' outputs one by one, and goes on with the expected ones."""

    def __init__(self, trail: list[tuple[str, Tensor]], kept: Kept) -> None:
        self.trail, self.kept = trail, kept
        self.position = 0
        self.bad: set[str] = set()

    def __call__(self, name: str, output: Tensor) -> Tensor | None:
        if self.position >= len(self.trail) or self.trail[self.position][0] != name:
            self.bad.add(name)
            return None
        expected = self.trail[self.position][1]
        self.position += 1
        if expected.shape != output.shape or not _near(expected, output):
            self.bad.add(name)
            return None if expected.shape != output.shape else expected
        return expected


def _watched(net: nn.Module, kept: Kept, see: Any, example: Tensor) -> list[Tensor]:
    """Run a network; `see` is told each layer's kept outputs, and may replace them."""

    def hook(name: str, layer: nn.Module, inputs: Any, output: Tensor) -> Tensor | None:
        axis = -1 if isinstance(layer, nn.Linear) else 1
        index = kept[name]
        if output.shape[axis] == index.numel():
            # Later layers may write into the tensor itself.
            return see(name, output.clone())
        return see(name, output.index_select(axis, index.to(output.device)))

    hooks = [net.get_submodule(name).register_forward_hook(partial(hook, name)) for name in kept]
    try:
        return flat(net(example.clone()))
    finally:
        for handle in hooks:
            handle.remove()


def flat(outputs: Any) -> list[Tensor]:
    """List the tensors in a network's outputs."""
    if isinstance(outputs, Tensor):
        return [outputs]
    if isinstance(outputs, Mapping):
        return [tensor for value in outputs.values() for tensor in flat(value)]
    if isinstance(outputs, (list, tuple)):
        return [tensor for value in outputs for tensor in flat(value)]
    return []


def _alike(expected: list[Tensor], found: list[Tensor]) -> bool:
    return len(expected) == len(found) and all(
        a.shape == b.shape and _near(a, b) for a, b in zip(expected, found, strict=True)
    )


def _near(expected: Tensor, found: Tensor) -> bool:
    if not expected.numel():
        return True
    error = float((expected - found).abs().max())
    return error <= TOLERANCE.get(expected.dtype, 1e-5) * float(expected.abs().max())
