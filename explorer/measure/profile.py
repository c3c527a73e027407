"""What each layer of a network holds, computes and produces for one input."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import (
    INPUT_SHAPE_ATTRIBUTE,
    check_input_shape,
    eval_mode,
    forward,
    takes,
    tensors_of,
    zero_input,
)
from explorer.compress.networks.plain import plain_network
from explorer.measure.data import first_inputs
from explorer.measure.operations import Counter, Unfused

COMPILER = "torch._dynamo"
Place = tuple[str, str]  # the name of a module and that of one of its parameters


@dataclass(frozen=True)
class LayerProfile:
    """One layer, for one input.

    Attributes
    ----------
    name : str
        torch's qualified name; "" for the network itself.
    kind : str
        Class of the module, such as ``"Conv2d"``.
    shape : tuple of int
        Shape of the weight tensor, or of the first parameter where none is
        called ``weight``; empty where there is none.
    weights : int
        Entries of all the layer's own parameters but biases.
    macs : int
        Multiply-accumulates of convolutions, matrix products, recurrent layers and
        attention, in the layer's own call or with one of its parameters, however
        they are written: ``nn.Linear``, ``F.linear``, ``@``, ``torch.einsum``.
        Products entry by entry (normalization, activations, gates) and additions of
        biases count none. 0 for a layer that this input does not reach.
    bytes : int
        Of all the layer's own parameters, biases included, and of the buffers
        that are saved with it. A tensor that two layers share counts in the
        first only.
    activations : int
        Values in the layer's output.
    fixed_macs : int
        Those of `macs` that do not multiply by entries of ``weight``, such as products of
        two activations: zeros in the weight save none of them.
    uncounted : tuple of str
        Operations in the layer's call whose multiply-accumulates cannot be counted; with
        any, `macs` is the least that it does.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    weights: int
    macs: int
    bytes: int
    activations: int
    fixed_macs: int = 0
    uncounted: tuple[str, ...] = ()


def profile(net: nn.Module, input_shape: Sequence[int]) -> tuple[LayerProfile, ...]:
    """Profile every layer that has parameters or multiplies, with one forward pass over zeros.

    Parameters
    ----------
    net : nn.Module
        Left unchanged: weights, buffers, gradients and training flags. On the
        meta device nothing is computed and the figures are the same.
    input_shape : sequence of int
        Shape of one input, without the batch, such as ``(3, 224, 224)``.

    Returns
    -------
    tuple of LayerProfile
        One row for each module with own parameters, and each in whose own call something is
        multiplied, in the network's order. Their `macs` add up to those of the network.

    Raises
    ------
    TypeError
        If `net` is not a Module.
    ValueError
        If `input_shape` is not a sequence of positive whole numbers, or the
        network does not take it.

    Examples
    --------
    >>> from torch import nn
    >>> [(row.name, row.weights, row.macs) for row in profile(nn.Linear(4, 3), (4,))]
    [('', 12, 12)]
    """
    net = plain_network(net, only_run=True)
    shape = check_input_shape(input_shape)
    zeros = zero_input(net, shape)
    try:
        tallies = _tallies(net, zeros)
    except ValueError:
        if COMPILER not in sys.modules:
            raise
        # Parts that torch compiles as a whole refuse to run while operations are counted.
        with torch.compiler.set_stance("force_eager"):
            tallies = _tallies(net, zeros)
    return _rows(net, tallies)


def input_shape(net: nn.Module, data: Any = None) -> tuple[int, ...] | None:
    """Find the shape of one input of a network.

    `net`: may carry a tuple ``input_shape``, as those of `explorer.load` do. `data`: the shape of
    its first sample goes before the network's attribute; of several inputs that of the first, where
    the network takes it alone. Returns: without the batch; None if it is not known.
    """
    own = getattr(net, INPUT_SHAPE_ATTRIBUTE, None)
    known = None if own is None else tuple(own)
    try:
        inputs = None if data is None else first_inputs(data)
    except Exception:  # what is wrong with the data is told where it is measured on
        inputs = None
    if inputs is None:
        return known
    first = tensors_of(inputs)[0]
    shape = tuple(first.shape[1:])
    alone = isinstance(inputs, Tensor) and hasattr(data, "eval")
    return shape if alone or shape == known or (shape and takes(net, first)) else known


def _tallies(net: nn.Module, zeros: Tensor) -> Mapping[str, _Tally]:
    ledger = _Ledger(net)
    with ledger.open(), Unfused(ledger):
        _run(net, zeros, Counter(ledger))
    return ledger.tallies


def _run(net: nn.Module, zeros: Tensor, counter: Counter) -> None:
    with eval_mode(net), torch.inference_mode(), torch.random.fork_rng(devices=[]), counter:
        forward(net, zeros)


@dataclass
class _Tally:
    """What one module did in a forward pass."""

    macs: int = 0
    fixed_macs: int = 0
    returned: int = 0
    made: int = 0
    uncounted: set[str] = field(default_factory=set)


class _Ledger:
    """Enters what is counted under the layer whose parameter it takes, or which is called."""

    def __init__(self, net: nn.Module) -> None:
        self._modules = dict(net.named_modules())
        self.tallies = {name: _Tally() for name in self._modules}
        self._called = [""]
        self._copies: list[Tensor] = []
        self._owners: dict[int, list[Place]] = {}
        for name, module in self._modules.items():
            for own, parameter in module.named_parameters(recurse=False):
                self._owners.setdefault(_storage(parameter), []).append((name, own))

    @contextmanager
    def open(self) -> Iterator[None]:
        """Follow which module is called."""
        hooks: list[Any] = []
        try:
            for name, module in self._modules.items():
                if isinstance(module, torch.jit.ScriptModule):
                    continue
                hooks.append(module.register_forward_pre_hook(partial(self._begin, name)))
                end = partial(self._end, name)
                hooks.append(module.register_forward_hook(end, always_call=True))
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def enter(self, macs: int, operands: list[Tensor], output: Any) -> None:
        """Take down the multiply-accumulates of one operation."""
        name, parameters = self._place(operands)
        tally = self.tallies[name]
        tally.macs += macs
        tally.fixed_macs += 0 if "weight" in parameters else macs
        tally.made += _numel(output)

    def miss(self, name: str) -> None:
        """Take down an operation that cannot be counted."""
        self.tallies[self._called[-1]].uncounted.add(name)

    def copy(self, source: Tensor, output: Tensor) -> None:
        """Take down that a tensor was copied: it stands for the parameter that it is from."""
        owners = self._owners.get(_storage(source))
        if owners and _storage(output) not in self._owners:
            self._owners[_storage(output)] = owners
            self._copies.append(output)

    def _begin(self, name: str, _module: nn.Module, _args: Any) -> None:
        self._called.append(name)

    def _end(self, name: str, _module: nn.Module, _args: Any, output: Any) -> None:
        self._called.pop()
        self.tallies[name].returned += _numel(output)

    def _place(self, operands: list[Tensor]) -> tuple[str, set[str]]:
        """Return whose an operation is, and which of that module's parameters it takes."""
        owners = [place for tensor in operands for place in self._owners.get(_storage(tensor), ())]
        called = self._called[-1]
        names = [name for name, _ in owners]
        chosen = called if called in names or not names else names[0]
        return chosen, {own for name, own in owners if name == chosen}


def _storage(tensor: Tensor) -> int:
    """Return a number that tensors have in common whose values lie in the same place."""
    try:
        return int(tensor.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):
        return id(tensor)


def _numel(output: Any) -> int:
    first = output[0] if isinstance(output, (tuple, list)) and output else output
    return first.numel() if isinstance(first, Tensor) else 0


def _rows(net: nn.Module, tallies: Mapping[str, _Tally]) -> tuple[LayerProfile, ...]:
    first_owner: dict[int, str] = {}
    rows = []
    for name, module in net.named_modules():
        tally = tallies[name]
        parameters = dict(module.named_parameters(recurse=False))
        if not parameters and not tally.macs and not tally.uncounted:
            continue
        weight = parameters.get("weight", next(iter(parameters.values()), None))
        saved = [t for t in _saved(module) if first_owner.setdefault(id(t), name) == name]
        rows.append(
            LayerProfile(
                name=name,
                kind=type(module).__name__,
                shape=() if weight is None else tuple(weight.shape),
                weights=sum(p.numel() for n, p in parameters.items() if not n.endswith("bias")),
                macs=tally.macs,
                bytes=sum(math.prod(t.shape) * t.element_size() for t in saved),
                activations=tally.returned or tally.made,
                fixed_macs=tally.fixed_macs,
                uncounted=tuple(sorted(tally.uncounted)),
            )
        )
    return tuple(rows)


def _saved(module: nn.Module) -> list[Tensor]:
    """Give a module's own parameters and the buffers that its state_dict holds."""
    skipped = module._non_persistent_buffers_set
    buffers = [b for n, b in module.named_buffers(recurse=False) if n not in skipped]
    return [*module.parameters(recurse=False), *buffers]
