"""Whether a reduced network does what the silenced one does, and where it first does not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explorer.compress.networks.removal.coupling import Coupling
from explorer.compress.networks.removal.silencing import Silenced, with_tensors
from explorer.compress.networks.resizing import match_attributes
from explorer.compress.networks.weights import compressible, held_tensors, parameter_name

Kept = Mapping[str, Tensor]
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5, torch.float16: 2e-2, torch.bfloat16: 1e-1}


class Mismatch(Exception):
    """The reduced network computes something else; at `layers`, where that is known."""

    def __init__(self, layers: set[str]) -> None:
        super().__init__(", ".join(sorted(layers)))
        self.layers = layers


def compare(masked: nn.Module, net: nn.Module, kept: Kept, example: Tensor) -> None:
    """Run both networks side by side.

    `masked`, `net`: the silenced and the reduced network, in eval mode. `kept`: for each dense or
    convolutional layer the output channels that `net` still has. `example`: shape (n, ...). Raises
    Mismatch if a layer's outputs differ by more than rounding, or `net` cannot run.
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
