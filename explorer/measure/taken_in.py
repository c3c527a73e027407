"""A network taken in with an example input: made plain, and answering as it did before."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import (
    NOT_TAKEN,
    Inputs,
    call,
    device_of,
    eval_mode,
    moved,
    own_copy,
    random_input,
)
from explorer.compress.networks.plain import copied, plain_network
from explorer.compress.networks.weights import LAYER_TYPES, compressible
from explorer.measure.data import first_inputs

TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}
HALF_TOLERANCE = 3e-2
KNOWN = {"builtins", "torch", "torchvision", "explorer"}
WRITTEN = {"data", "weight"}


def taken_in(
    net: nn.Module,
    data: Any = None,
    input_shape: tuple[int, ...] | None = None,
    name: str = "net",
    *,
    may_write: bool = False,
) -> nn.Module:
    """Return a network whose weights are parameters, as `plain_network`; its answers checked.

    `net`: left unchanged. `data`: its first sample is the example. `input_shape`: one input without
    the batch, where there are no data. `name`: what messages call the network. `may_write`: whether
    a layer may write its own weight, as a constraint in training does. Raises TypeError, ValueError
    as `plain_network`; if the plain network answers the example differently, or a layer writes its
    own weight while the network runs.
    """
    plain = plain_network(net, name)
    changed = plain is not net
    if not changed and (may_write or not any(map(_may_write, net.modules()))):
        return plain
    shape = input_shape or getattr(net, "input_shape", None)
    example = _example(plain, data, shape)
    if example is not None:
        try:
            before = _answers(net, example)
            after = _answers(plain, example, "" if may_write else f"{name}: layer ")
        except NOT_TAKEN as error:
            if isinstance(error, _Writes):
                raise ValueError(str(error)) from None
            return plain  # what does not run is told where it is run
        if changed and not _alike(before, after):
            raise ValueError(
                f"{name}: with its computed weights made plain it answers its first input "
                "differently, so figures of it would not be true; make the weights plain "
                "parameters first, for example by "
                "torch.nn.utils.parametrize.remove_parametrizations, or by taking the hook away"
            )
    return plain


class _Writes(ValueError):
    """A layer writes its own weight while the network runs."""


def _may_write(module: nn.Module) -> bool:
    """Whether running a module may change weights: by a hook, or by code of its own class."""
    if module._forward_pre_hooks or module._forward_hooks:
        return True
    if isinstance(module, LAYER_TYPES):
        return type(module) not in LAYER_TYPES
    ours = [kind for kind in type(module).__mro__ if kind.__module__.split(".")[0] not in KNOWN]
    return any(_names_weights(part) for kind in ours for part in vars(kind).values())


def _names_weights(function: object) -> bool:
    """Whether code names a weight, ``data``, or an operation in place."""
    if not isinstance(function, FunctionType) or function.__name__ == "__init__":
        return False
    names = function.__code__.co_names
    return any(n in WRITTEN or (n[-1] == "_" and n[0] != "_") for n in names)


def _example(net: nn.Module, data: Any, input_shape: tuple[int, ...] | None) -> Inputs | None:
    try:
        inputs = first_inputs(data)
        if inputs is None and input_shape:
            inputs = random_input(net, tuple(input_shape), 1)
    except Exception:  # what is wrong with the data is told where it is measured on
        return None
    return inputs


def _answers(net: nn.Module, example: Inputs, writer: str = "") -> list[Tensor]:
    """Run a copy of a network; where `writer` begins a message, refuse weights that it writes."""
    twin = copied(net)
    with torch.no_grad(), eval_mode(twin), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = _tensors(call(twin, moved(own_copy(example), device_of(twin))))
    weights = compressible(net).items() if writer else ()
    for (layer, weight), written in zip(weights, compressible(twin).values(), strict=False):
        if not torch.equal(weight.nan_to_num(), written.nan_to_num()):
            raise _Writes(
                f"{writer}{layer!r} writes its own weight while the network runs, or the network "
                "does, so compressed weights would not stay; take that out of forward, or remove "
                "the hook"
            )
    return found


def _tensors(output: Any) -> list[Tensor]:
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, dict):
        output = tuple(output.values())
    if isinstance(output, (tuple, list)):
        return [tensor for part in output for tensor in _tensors(part)]
    found = getattr(output, "logits", None)
    return [] if found is None else _tensors(found)


def _alike(before: list[Tensor], after: list[Tensor]) -> bool:
    return len(before) == len(after) and all(map(_close, before, after))


def _close(before: Tensor, after: Tensor) -> bool:
    if before.shape != after.shape:
        return False
    near = TOLERANCE.get(before.dtype, HALF_TOLERANCE)
    size = float(before.double().nan_to_num().abs().max()) if before.numel() else 0.0
    return torch.allclose(
        before.double(), after.double(), rtol=near, atol=near * size, equal_nan=True
    )
