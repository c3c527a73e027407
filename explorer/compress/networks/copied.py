"""A copy of a network, also of one that holds what Python cannot copy."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)


def copied(net: Net, memo: Mapping[int, Any] | None = None) -> Net:
    """Return a deep copy of a network.

    Outputs that it keeps are copied without their history; locks and open files, which
    cannot be copied, are shared.

    `net`: left unchanged. `memo`: what takes the place of objects, by their ``id``.
    """
    known: dict[int, Any] = dict(memo or {})
    for module in net.modules():
        for own in module._parameters.values():
            if own is not None and id(own) not in known and _is_sparse(own):
                # torch's own copying of parameters asks for strides.
                known[id(own)] = nn.Parameter(own.detach().clone(), own.requires_grad)
        for held in _held(vars(module)):
            if id(held) not in known and (put := _stand_in(held)) is not None:
                known[id(held)] = put
    return copy.deepcopy(net, known)


def _is_sparse(tensor: Tensor) -> bool:
    return not nn.parameter.is_lazy(tensor) and tensor.layout is not torch.strided


def _held(attributes: Mapping[str, Any]) -> Iterable[Any]:
    """Yield the objects of a module's own attributes, also those in lists and dicts."""
    for name, value in attributes.items():
        if name in ("_parameters", "_modules"):
            continue
        if isinstance(value, Mapping):
            yield from value.values()
        elif isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value


def _stand_in(held: Any) -> Any:
    """Return what goes into the copy in place of an object; None where it can be copied."""
    if isinstance(held, Tensor):
        return None if held.is_leaf else held.detach().clone()
    if isinstance(held, (nn.Module, str, bytes, int, float, type(None))):
        return None
    try:
        copy.deepcopy(held)
    except (TypeError, RuntimeError):
        return held
    return None
