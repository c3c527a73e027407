"""Sizes of a network's layers, made to fit tensors that are smaller than the original's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from explorer.compress.networks.weights import held_tensors

Shapes = Mapping[str, tuple[int, ...]]


def fit_shapes(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Shrink a network's layers to the sizes of a state dict, so that it can be loaded.

    Dense and convolutional layers, normalizations, PReLU and bare parameters may
    shrink; each layer's tensors must agree with each other. What the tensors hold is
    lost: call ``load_state_dict(state)`` next.

    `module`: of the original sizes; changed in place. Nothing is changed if an error is raised.
    `state`: tensors of the sizes wanted. Names that are missing keep their size. Raises ValueError
    if a name is unknown, or a tensor is larger than the original, empty, of another number of
    dimensions, or does not agree with the rest of its layer.
    """
    own = held_tensors(module)
    shapes = {name: tuple(tensor.shape) for name, tensor in own.items()}
    wanted = dict(shapes)
    for name, tensor in state.items():
        if name not in own:
            raise ValueError(f"state: the network has no tensor {name!r}")
        _check_shrinks(name, shapes[name], tuple(tensor.shape))
        wanted[name] = tuple(tensor.shape)
    changed = []
    for name, layer in module.named_modules():
        prefix = f"{name}." if name else ""
        inner = {key: wanted[prefix + key] for key in _tensors(layer) if prefix + key in wanted}
        outer = {key: shapes[prefix + key] for key in inner}
        if inner != outer:
            _check_layer(name or type(layer).__name__, layer, inner, outer)
            changed.append(layer)
    _resize(own, wanted)
    match_attributes(changed)


def match_attributes(layers: Iterable[nn.Module]) -> None:
    """Set the sizes that layers know of themselves to those of their tensors, in place."""
    for layer in layers:
        for kind, match in _MATCHERS:
            if isinstance(layer, kind):
                match(layer)


def _resize(own: Mapping[str, Tensor], wanted: Shapes) -> None:
    for name, tensor in own.items():
        if tuple(tensor.shape) != wanted[name]:
            tensor.grad = None
            # The parameter object stays, so that layers that share it go on sharing.
            tensor.data = tensor.data.new_zeros(wanted[name])


def _tensors(layer: nn.Module) -> list[str]:
    direct = layer.named_parameters(recurse=False), layer.named_buffers(recurse=False)
    return [name for group in direct for name, _ in group]


def _check_shrinks(name: str, old: tuple[int, ...], new: tuple[int, ...]) -> None:
    if len(old) != len(new):
        raise ValueError(f"state: {name} has shape {new}; the network's has shape {old}")
    if any(n > o for n, o in zip(new, old, strict=True)):
        raise ValueError(f"state: {name} has shape {new}, larger than the network's {old}")
    if any(n < 1 and n != o for n, o in zip(new, old, strict=True)):
        raise ValueError(f"state: {name} is empty: shape {new}; the network's has shape {old}")


def _check_layer(name: str, layer: nn.Module, new: Shapes, old: Shapes) -> None:
    """Raise unless the shapes of one layer's tensors agree."""
    if isinstance(layer, nn.Linear):
        _agree(name, new, {"weight": 0, "bias": 0})
    elif isinstance(layer, _ConvNd):
        _check_conv(name, layer, new, old)
    elif isinstance(layer, (_NormBase, nn.LayerNorm)):
        per_channel = {key: 0 for key in new if key != "num_batches_tracked"}
        _agree(name, new, per_channel)
    elif isinstance(layer, nn.PReLU) or not type(layer).__module__.startswith("torch.nn."):
        return
    else:
        raise ValueError(f"state: a layer of type {type(layer).__name__} cannot shrink: {name}")


def _check_conv(name: str, layer: _ConvNd, new: Shapes, old: Shapes) -> None:
    if new["weight"][2:] != old["weight"][2:]:
        raise ValueError(
            f"state: {name}.weight has shape {new['weight']}; its filters must keep the "
            f"size {old['weight'][2:]}"
        )
    transposed = isinstance(layer, _ConvTransposeNd)
    _agree(name, new, {"weight": 1 if transposed else 0, "bias": 0})
    if layer.groups == 1:
        return
    unit = old["weight"][0] // layer.groups
    per_group = layer.in_channels == layer.groups
    if transposed or new["weight"][0] % (unit if per_group else layer.groups):
        raise ValueError(
            f"state: {name}.weight has {new['weight'][0]} filters, which do not fill "
            f"its groups of channels (of {old['weight'][0]} filters in {layer.groups} groups)"
        )


def _agree(name: str, shapes: Shapes, axes: Mapping[str, int]) -> None:
    sizes = {key: shapes[key][axis] for key, axis in axes.items() if key in shapes}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{key} {shapes[key]}" for key in sizes)
        raise ValueError(f"state: the tensors of {name} do not agree: {found}")


def _match_linear(layer: nn.Linear) -> None:
    layer.out_features, layer.in_features = layer.weight.shape


def _match_conv(layer: _ConvNd) -> None:
    rows, columns = layer.weight.shape[:2]
    if isinstance(layer, _ConvTransposeNd):
        layer.in_channels, layer.out_channels = rows, columns * layer.groups
        return
    if layer.groups > 1 and layer.groups == layer.in_channels:
        layer.groups = rows // (layer.out_channels // layer.groups)
    layer.out_channels, layer.in_channels = rows, columns * layer.groups


def _match_norm(layer: _NormBase) -> None:
    known = [t for t in (layer.weight, layer.running_mean) if t is not None]
    if known:
        layer.num_features = len(known[0])


def _match_layer_norm(layer: nn.LayerNorm) -> None:
    if layer.weight is not None:
        layer.normalized_shape = tuple(layer.weight.shape)


def _match_prelu(layer: nn.PReLU) -> None:
    layer.num_parameters = layer.weight.numel()


_MATCHERS: tuple[tuple[type, Callable], ...] = (
    (nn.Linear, _match_linear),
    (_ConvNd, _match_conv),
    (_NormBase, _match_norm),
    (nn.LayerNorm, _match_layer_norm),
    (nn.PReLU, _match_prelu),
)
