"""plain_network: a copy whose computed weights are parameters."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune

from explorer.compress.networks.weights import LAYER_TYPES, check_module

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


KEPT_ZEROS = "layers_with_kept_zeros"
NOTES = "notes_of_plain_network"


def plain_network(net: nn.Module, name: str = "net", *, only_run: bool = False) -> nn.Module:
    """Return a network whose weights are parameters of their layers.

    Parametrizations, hooks that compute weights, and pruning masks are folded into the
    weights of a copy; so are sparse layouts. A network that is plain already is returned
    itself.

    `net`: left unchanged. `name`: what messages call it. `only_run`: whether it is not rewritten:
    scripted and quantized ones, and ones without values, on the meta device, will do. Raises
    TypeError if it is no Module, or a scripted or quantized one. Raises ValueError if it is on the
    meta device, or a weight changes from call to call.
    """
    check_module(net, name)
    net = _uncompiled(net)
    if not only_run:
        _check_kind(net, name)
    if not any(_computed(module) or _is_compiled(module) for module in net.modules()):
        return net
    with torch.inference_mode(False), torch.no_grad():
        return _folded(net, name)


def kept_zeros(net: nn.Module) -> frozenset[str]:
    """Return the layers whose zeros a pruning mask had made."""
    return getattr(net, KEPT_ZEROS, frozenset())


def plain_notes(net: nn.Module) -> dict[str, str]:
    """Return what was folded, in words, by layer."""
    return dict(getattr(net, NOTES, {}))


def folded_layers(net: nn.Module) -> tuple[str, ...]:
    """Return what was folded as texts, each of a layer and what its weights came from."""
    return tuple(f"{layer or 'the network'} ({words})" for layer, words in plain_notes(net).items())


def _check_kind(net: nn.Module, name: str) -> None:
    for path, module in net.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise TypeError(
                f"{name}: {path or type(net).__name__!r} is a scripted module, whose weights "
                "cannot be rewritten; pass the module as it was before torch.jit.script or trace"
            )
        if ".quantized" in type(module).__module__:
            raise TypeError(
                f"{name}: layer {path!r} is quantized already ({type(module).__name__}); pass the "
                "network as it was before torch quantized it"
            )
        if any(p is not None and p.is_meta for p in module._parameters.values()):
            raise ValueError(
                f"{name}: layer {path!r} is on the meta device and holds no values; give it some "
                "first, as in net.to_empty(device='cpu') and net.load_state_dict(...)"
            )


def _is_compiled(module: nn.Module) -> bool:
    return "_orig_mod" in module._modules


def _uncompiled(module: nn.Module) -> nn.Module:
    return getattr(module, "_orig_mod", module)


def _computed(module: nn.Module) -> list[str]:
    """Name a module's tensors that are no plain parameters."""
    found = [n for n, p in module._parameters.items() if p is not None and _sparse(p)]
    if parametrize.is_parametrized(module):
        parts: Any = module.parametrizations
        found += list(parts)
    found += [hook._tensor_name for hook in _masks(module)]
    if isinstance(module, LAYER_TYPES):
        found += [n for n in ("weight", "bias") if isinstance(vars(module).get(n), Tensor)]
        own = "weight" in module._parameters or "weight" in found
        if not own:
            found.append("weight")
    elif module._forward_pre_hooks:
        sources = [*module._parameters, *module._buffers]
        found += [
            n
            for n, value in vars(module).items()
            if isinstance(value, Tensor) and any(s.startswith(f"{n}_") for s in sources)
        ]
    return list(dict.fromkeys(found))


def _sparse(tensor: Tensor) -> bool:
    return not nn.parameter.is_lazy(tensor) and tensor.layout is not torch.strided


def _masks(module: nn.Module) -> list[Any]:
    hooks = module._forward_pre_hooks.values()
    return [hook for hook in hooks if isinstance(hook, prune.BasePruningMethod)]


def _folded(net: nn.Module, name: str) -> nn.Module:
    plain = copied(net)
    training = {module: module.training for module in plain.modules()}
    plain.eval()
    notes: dict[str, str] = {}
    known: dict[Any, Any] = {}
    zeros = set()
    for path, module in list(plain.named_modules()):
        for child, inner in module.named_children():
            if _is_compiled(inner):
                module._modules[child] = _uncompiled(inner)
                notes[f"{path}.{child}".lstrip(".")] = "torch.compile taken off"
    for path, module in list(plain.named_modules()):
        for own in _computed(module):
            sources = _sources(module, own)
            masked = any(hook._tensor_name == own for hook in _masks(module))
            words = _fold(module, own, f"{name}: the {own} of layer {path!r}")
            _tie(module, own, known.setdefault(sources, module._parameters[own]))
            notes[path] = "; ".join(filter(None, (notes.get(path), words)))
            if masked and own == "weight":
                zeros.add(path)
    for module in plain.modules():
        module.training = training.get(module, plain.training)
    setattr(plain, KEPT_ZEROS, kept_zeros(net) | zeros)
    setattr(plain, NOTES, plain_notes(net) | notes)
    return plain


def _sources(module: nn.Module, own: str) -> tuple[Any, ...]:
    """Return what a tensor is computed from; shared by layers whose tensors are one."""
    if parametrize.is_parametrized(module, own):
        parts: Any = module.parametrizations
        steps = tuple(type(part) for part in parts[own])
        return (*steps, *parts[own]._parameters.values())
    held = [p for n, p in module._parameters.items() if n == own or n.startswith(f"{own}_")]
    return tuple(held) or (module, own)


def _tie(module: nn.Module, own: str, known: Any) -> None:
    """Take another layer's parameter where it was computed alike from the same tensors."""
    mine: Any = module._parameters[own]
    if known is not mine and known.shape == mine.shape and torch.equal(known, mine):
        module._parameters[own] = known


def _fold(module: nn.Module, own: str, what: str) -> str:
    """Make one tensor of a module a plain parameter; return what was done, in words."""
    parameter = module._parameters.get(own)
    if parameter is not None and _sparse(parameter):
        module._parameters[own] = nn.Parameter(parameter.to_dense(), parameter.requires_grad)
        return f"sparse {own} made dense"
    if parametrize.is_parametrized(module, own):
        first, second = getattr(module, own).clone(), getattr(module, own).clone()
        parts: Any = module.parametrizations
        words = ", ".join(type(part).__name__ for part in parts[own])
        _check_same(first, second, what)
        del parts[own]
        if not len(parts):
            # The class was made for this module and is shared with its copies.
            del module._modules["parametrizations"]
            module.__class__ = type(module).__bases__[0]
    else:
        first, words = _hooked(module, own, what)
    module._parameters[own] = nn.Parameter(first.detach().clone(), first.is_floating_point())
    if "bias" in module._parameters:
        module._parameters["bias"] = module._parameters.pop("bias")
    return f"{words} folded into the {own}"


def _hooked(module: nn.Module, own: str, what: str) -> tuple[Tensor, str]:
    """Return a tensor that hooks compute, taking the hooks and what they read off the module."""
    before = vars(module).get(own)
    words, setters = [], []
    value = before
    for key, hook in list(module._forward_pre_hooks.items()):
        try:
            hook(module, (torch.zeros(1),))
            value = getattr(module, own)
            first = value.clone()
            hook(module, (torch.ones(1),))
            second = getattr(module, own)
        except Exception as error:
            raise _refused(what) from error
        if second is before:
            continue
        _check_same(first, second, what)
        before, value = second, second
        setters.append(key)
        words.append(getattr(type(hook), "__name__", "hook"))
    if not isinstance(value, Tensor):
        raise _refused(what)
    value = value.detach().clone()
    for key in setters:
        del module._forward_pre_hooks[key]
        module._forward_pre_hooks_with_kwargs.pop(key, None)
    for hooks in (module._state_dict_hooks, module._load_state_dict_pre_hooks):
        for key in [k for k, hook in hooks.items() if _of_spectral_norm(hook)]:
            del hooks[key]
    vars(module).pop(own, None)
    for held in (module._parameters, module._buffers):
        for source in [n for n in held if _is_source(n, own, module)]:
            del held[source]
    return value, ", ".join(words) or "a tensor that is no parameter"


def _of_spectral_norm(hook: Any) -> bool:
    inner = getattr(hook, "hook", hook)
    return type(inner).__name__.startswith("SpectralNorm")


def _is_source(key: str, own: str, module: nn.Module) -> bool:
    if key.startswith(f"{own}_"):
        return True
    return (
        own == "weight"
        and type(module) in LAYER_TYPES
        and key not in ("weight", "bias")
        and (not key.startswith("bias_"))
    )


def _check_same(first: Tensor, second: Tensor, what: str) -> None:
    if not torch.equal(first.nan_to_num(), second.nan_to_num()):
        raise _refused(what)


def _refused(what: str) -> ValueError:
    return ValueError(
        f"{what} is computed anew at each call, not always alike or from the input, so there is "
        "no tensor to compress; make it a plain parameter first, for example by "
        "torch.nn.utils.parametrize.remove_parametrizations, or by taking the hook away"
    )
