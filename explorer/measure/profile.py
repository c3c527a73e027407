"""What each layer of a network holds, computes and produces for one input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.compress.forward import check_input_shape, eval_mode, forward
from explorer.compress.weights import check_module

INPUT_SHAPE_ATTRIBUTE = "input_shape"
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True)
class LayerProfile:
    """One layer, for one input.

    Attributes
    ----------
    name : str
        torch's qualified name; "" for parameters of the network itself.
    kind : str
        Class of the module, such as ``"Conv2d"``.
    shape : tuple of int
        Shape of the weight tensor, or of the first parameter where none is
        called ``weight``.
    weights : int
        Entries of all the layer's own parameters but biases.
    macs : int
        Multiply-accumulates of convolutions, dense layers and
        ``nn.MultiheadAttention``. Normalization, activations, additions of biases
        and products of two activations elsewhere count none. 0 for a layer that
        this input does not reach.
    bytes : int
        Of all the layer's own parameters, biases included, and of the buffers
        that are saved with it. A tensor that two layers share counts in the
        first only.
    activations : int
        Values in the layer's output.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    weights: int
    macs: int
    bytes: int
    activations: int


def profile(net: nn.Module, input_shape: Sequence[int]) -> tuple[LayerProfile, ...]:
    """Profile every layer that has parameters, with one forward pass over zeros.

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
        One row for each module with own parameters, in the network's order.

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
    check_module(net)
    shape = check_input_shape(input_shape)
    layers = {
        name: module
        for name, module in net.named_modules()
        if next(module.parameters(recurse=False), None) is not None
    }
    counts = {name: _Count() for name in layers}
    uncalled = _UncalledDense(layers)
    hooks = [
        module.register_forward_hook(counts[name].add, with_kwargs=True)
        for name, module in layers.items()
    ]
    try:
        with uncalled:
            _forward_zeros(net, shape)
    finally:
        for hook in hooks:
            hook.remove()
    return _rows(layers, {n: c if c.activations else uncalled.counts[n] for n, c in counts.items()})


def input_shape(net: nn.Module, data: Any = None) -> tuple[int, ...] | None:
    """Find the shape of one input of a network.

    Parameters
    ----------
    net : nn.Module
        May carry a tuple ``input_shape``, as those of `explorer.load` do.
    data : object with an indexable ``eval``, optional
        Its first sample's shape goes before the network's attribute.

    Returns
    -------
    tuple of int or None
        Without the batch; None if it is not known.
    """
    if data is not None:
        sample = data.eval[0]
        first = sample[0] if isinstance(sample, (tuple, list)) else sample
        return tuple(first.shape)
    known = getattr(net, INPUT_SHAPE_ATTRIBUTE, None)
    return None if known is None else tuple(known)


def _forward_zeros(net: nn.Module, shape: tuple[int, ...]) -> None:
    like = next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))
    zeros = torch.zeros((1, *shape), dtype=like.dtype, device=like.device)
    with eval_mode(net), torch.inference_mode(), torch.random.fork_rng(devices=[]):
        forward(net, zeros)


class _Count:
    """What one layer did in a forward pass."""

    def __init__(self) -> None:
        self.macs = 0
        self.activations = 0

    def add(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """Count one call of the layer; a forward hook."""
        self.macs += _macs(module, args, kwargs, output)
        self.activations += _numel(output)


class _UncalledDense(TorchFunctionMode):
    """Count dense layers whose weight is used without calling them."""

    def __init__(self, layers: dict[str, nn.Module]) -> None:
        super().__init__()
        self.counts = {name: _Count() for name in layers}
        self.layers = layers
        self.owners = {
            id(module.weight): name
            for name, module in layers.items()
            if isinstance(module, nn.Linear)
        }

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        used = None
        if func is nn.functional.linear:
            used = args[1] if len(args) > 1 else kwargs["weight"]
        elif func is nn.functional.multi_head_attention_forward:
            used = args[11]
        name = self.owners.get(id(used))
        if name is not None:
            self.counts[name].add(self.layers[name], args, kwargs, output)
        return output


def _macs(module: nn.Module, args: Any, kwargs: Any, output: Any) -> int:
    if isinstance(module, nn.MultiheadAttention):
        query, key = (
            kwargs.get(name, args[i] if i < len(args) else None)
            for i, name in enumerate(("query", "key"))
        )
        n_query, n_key = query.numel() // module.embed_dim, key.numel() // module.kdim
        projections = module.embed_dim * (
            n_query * module.embed_dim + n_key * (module.kdim + module.vdim)
        )
        n_batch = 1 if query.dim() == 2 else query.shape[0 if module.batch_first else 1]
        return projections + 2 * n_query * (n_key // n_batch) * module.embed_dim
    if isinstance(module, TRANSPOSED):
        return int(args[0].numel() * module.weight[0].numel())
    if isinstance(module, (nn.Linear, *CONVOLUTIONS)):
        return _numel(output) * module.weight[0].numel()
    return 0


def _numel(output: Any) -> int:
    first = output[0] if isinstance(output, (tuple, list)) and output else output
    return first.numel() if isinstance(first, Tensor) else 0


def _rows(layers: dict[str, nn.Module], counts: dict[str, _Count]) -> tuple[LayerProfile, ...]:
    first_owner: dict[int, str] = {}
    rows = []
    for name, module in layers.items():
        parameters = dict(module.named_parameters(recurse=False))
        weight = parameters.get("weight", next(iter(parameters.values())))
        saved = [t for t in _saved(module) if first_owner.setdefault(id(t), name) == name]
        rows.append(
            LayerProfile(
                name=name,
                kind=type(module).__name__,
                shape=tuple(weight.shape),
                weights=sum(p.numel() for n, p in parameters.items() if not n.endswith("bias")),
                macs=counts[name].macs,
                bytes=sum(math.prod(t.shape) * t.element_size() for t in saved),
                activations=counts[name].activations,
            )
        )
    return tuple(rows)


def _saved(module: nn.Module) -> list[Tensor]:
    """Give a module's own parameters and the buffers that its state_dict holds."""
    skipped = module._non_persistent_buffers_set
    buffers = [b for n, b in module.named_buffers(recurse=False) if n not in skipped]
    return [*module.parameters(recurse=False), *buffers]
