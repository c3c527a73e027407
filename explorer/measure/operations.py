"""Multiply-accumulates of torch's operations, counted one by one while a network runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

Arguments = tuple[Any, ...]
Formula = Callable[[str, Arguments, Any], int]
KNOWN_LIBRARIES = ("aten", "prim", "prims", "profiler", "torchvision")
NOT_COUNTED = (
    "_cdist_forward",
    "_euclidean_dist",
    "_fft_",
    "_grouped_mm",
    "_linalg_",
    "_pdist_forward",
    "_sparse_",
    "cholesky",
    "conv_tbc",
    "geqrf",
    "linalg_",
    "lu_",
    "ormqr",
    "quantized_",
    "sparse_sampled_addmm",
    "triangular_solve",
)
NORMS = ("linalg_vector_norm", "linalg_cross")
ATTENTION = ("scaled_dot_product", "flex_attention")
COPIES = ("aten::_to_copy", "aten::clone")
LEAVES_TORCH = (Tensor.numpy, Tensor.__array__, Tensor.__dlpack__)


class Ledger(Protocol):
    """Where counts are entered."""

    def enter(self, macs: int, operands: list[Tensor], output: Any) -> None:
        """Take down the multiply-accumulates of one operation."""

    def miss(self, name: str) -> None:
        """Take down an operation that cannot be counted."""

    def copy(self, source: Tensor, output: Tensor) -> None:
        """Take down that a tensor was copied, to another type or place perhaps."""


class Counter(TorchDispatchMode):
    """Count every operation of this thread that runs within it, in inference mode.

    Operations that torch makes of others are followed down to those that multiply.
    """

    supports_higher_order_operators = True

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger
        self._in_einsum = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Arguments = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = operation_name(func)
        formula = _formula(name)
        if formula is None:
            parts = self._in_parts(name, func, args, kwargs)
            if parts is not NotImplemented:
                return parts
        output = func(*args, **kwargs)
        self._count(name, formula, func, (args, kwargs), output)
        return output

    def _in_parts(self, name: str, func: Any, args: Arguments, kwargs: Mapping[str, Any]) -> Any:
        """Carry out an operation as the ones that it is made of, where it is."""
        if not isinstance(func, torch._ops.OpOverload):
            return NotImplemented
        einsum = name == "aten::einsum"
        self._in_einsum += einsum
        try:
            with self:
                return func.decompose(*args, **kwargs)
        finally:
            self._in_einsum -= einsum

    def _count(
        self,
        name: str,
        formula: Formula | None,
        func: Any,
        given: tuple[Arguments, Mapping[str, Any]],
        output: Any,
    ) -> None:
        args = _positional(func, *given)
        if formula is None and self._in_einsum and name == "aten::mul":
            formula = _each_output
        if formula is not None:
            try:
                macs = formula(name, args, output)
            except (AttributeError, IndexError, RuntimeError, TypeError, NotImplementedError):
                self._ledger.miss(name)
            else:
                self._ledger.enter(macs, _tensors(args), output)
        elif name in COPIES:
            self._ledger.copy(args[0], output)
        elif _is_unknown(name):
            self._ledger.miss(name)


class Unfused(TorchFunctionMode):
    """Keep torch from its fused attention, whose parts cannot be seen, and see numpy called."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def __torch_function__(
        self, func: Any, types: Any, args: Arguments = (), kwargs: Any = None
    ) -> Any:
        if func in LEAVES_TORCH:
            self._ledger.miss("numpy")
        return func(*args, **(kwargs or {}))


def operation_name(func: Any) -> str:
    """Return an operation's name with its library: ``"aten::mm"``."""
    schema = getattr(func, "_schema", None)
    return str(schema.name) if schema is not None else f"higher_order::{func}"


def _is_unknown(name: str) -> bool:
    library, _, own = name.partition("::")
    if library not in KNOWN_LIBRARIES:
        return True
    return library == "aten" and own.startswith(NOT_COUNTED) and own not in NORMS


def _positional(func: Any, args: Arguments, kwargs: Mapping[str, Any]) -> Arguments:
    """Return all arguments in the order of the operation's schema."""
    schema = getattr(func, "_schema", None)
    if schema is None or not kwargs:
        return args
    rest = schema.arguments[len(args) :]
    return (*args, *(kwargs.get(argument.name) for argument in rest))


def _tensors(args: Arguments) -> list[Tensor]:
    found: list[Tensor] = []
    for value in args:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _tensors(tuple(value))
    return found


def _product(first: Tensor, second: Tensor, output: Tensor) -> int:
    """Count a matrix product: the last axis of the first factor is summed over."""
    if first.layout != torch.strided:
        return int(first._nnz()) * int(output.shape[-1])
    if second.layout != torch.strided:
        return int(second._nnz()) * (output.numel() // int(output.shape[-1]))
    return output.numel() * int(first.shape[-1])


def _plain_product(_name: str, args: Arguments, output: Any) -> int:
    return _product(args[0], args[1], output)


def _added_product(_name: str, args: Arguments, output: Any) -> int:
    return _product(args[1], args[2], output)


def _summed_products(_name: str, args: Arguments, output: Any) -> int:
    return int(args[1].numel()) * int(output.shape[-1])


def _each_output(_name: str, _args: Arguments, output: Any) -> int:
    return int(output.numel())


def _affine_grid(_name: str, args: Arguments, output: Any) -> int:
    return int(output.numel()) * int(args[0].shape[-1])


def _convolution(_name: str, args: Arguments, output: Any) -> int:
    inputs, weight, transposed = args[0], args[1], args[6]
    return int((inputs if transposed else output).numel()) * math.prod(weight.shape[1:])


def _deformed_convolution(_name: str, args: Arguments, output: Any) -> int:
    return int(output.numel()) * math.prod(args[1].shape[1:])


def _bilinear(_name: str, args: Arguments, output: Any) -> int:
    """Count x1 W x2 for each output: first x1 W, then the product with x2."""
    _, n_first, n_second = args[1].shape
    return int(output.numel()) * (n_first * n_second + n_second)


def _recurrent(_name: str, args: Arguments, _output: Any) -> int:
    """Count each matrix of each layer and direction once a step and sequence."""
    packed = isinstance(args[3], (list, tuple))
    parameters = args[3] if packed else args[2]
    steps = math.prod(args[0].shape[:-1])
    return steps * sum(p.numel() for p in parameters if p.dim() == 2)


def _attention(_name: str, args: Arguments, _output: Any) -> int:
    """Count the products of queries with keys and of what they give with values."""
    query, key, value = args[:3]
    n_keys = int(key.shape[-2])
    rows = query.numel() // query.shape[-1]
    return rows * n_keys * int(query.shape[-1] + value.shape[-1])


def _fused_attention(_name: str, args: Arguments, _output: Any) -> int:
    query, key, width, weights = args[0], args[1], args[3], (args[5], args[7])
    return _self_attention(query, key, width, weights)


def _fused_encoder(_name: str, args: Arguments, _output: Any) -> int:
    inputs, width, weights = args[0], args[1], (args[3], args[5], args[14], args[16])
    return _self_attention(inputs, inputs, width, weights)


def _self_attention(query: Tensor, key: Tensor, width: int, weights: tuple[Tensor, ...]) -> int:
    places = math.prod(query.shape[:-1])
    return places * (sum(w.numel() for w in weights) + 2 * int(key.shape[1]) * width)


_FORMULAS: Mapping[str, Formula] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "aten::linear",
                "aten::matmul",
                "aten::mm",
                "aten::bmm",
                "aten::mv",
                "aten::dot",
                "aten::vdot",
                "aten::_int_mm",
                "aten::_scaled_mm",
                "aten::_weight_int8pack_mm",
                "aten::_weight_int4pack_mm",
                "aten::_sparse_mm",
            ),
            _plain_product,
        ),
        **dict.fromkeys(
            (
                "aten::addmm",
                "aten::baddbmm",
                "aten::addmv",
                "aten::_addmm_activation",
                "aten::_sparse_addmm",
            ),
            _added_product,
        ),
        "aten::addbmm": _summed_products,
        "aten::addr": _each_output,
        "aten::affine_grid_generator": _affine_grid,
        **dict.fromkeys(("aten::convolution", "aten::_convolution"), _convolution),
        "torchvision::deform_conv2d": _deformed_convolution,
        "aten::_trilinear": _bilinear,
        **dict.fromkeys(
            ("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu"), _recurrent
        ),
        "aten::_native_multi_head_attention": _fused_attention,
        "aten::_transformer_encoder_layer_fwd": _fused_encoder,
    }
)


def _formula(name: str) -> Formula | None:
    if name.partition("::")[2].lstrip("_").startswith(ATTENTION):
        return _attention
    # In-place and functional forms count alike.
    return _FORMULAS.get(name) or _FORMULAS.get(name.removesuffix("_"))
