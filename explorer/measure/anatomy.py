"""What each layer of a network takes of the whole: weights, multiplications, bytes, activations."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from explorer.compress.networks.plain import copied
from explorer.compress.networks.weights import compressible
from explorer.measure.profile import LayerProfile, profile

SLIGHT = 0.01
COMPUTED_WEIGHTS = 200_000_000
LARGE = 0.25


@dataclass(frozen=True)
class Share:
    """What some layers of a network take together.

    `weights`, `macs`, `bytes`, `activations`: sums of the layers' own. `weight_share`, `mac_share`:
    of all weights and of all multiply-accumulates; fractions.
    """

    weights: int
    macs: int
    bytes: int
    activations: int
    weight_share: float
    mac_share: float


@dataclass(frozen=True)
class Anatomy:
    """The layers of a network.

    `layers`: every layer with parameters, and each in whose own call something is multiplied, in
    the network's order. `input_shape`: one input without the batch; None where it is not known, and
    with it neither multiply-accumulates nor activations, which are then 0.
    """

    layers: tuple[LayerProfile, ...]
    input_shape: tuple[int, ...] | None

    @property
    def weights(self) -> int:
        """Weights of all layers."""
        return sum(layer.weights for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all layers for one input."""
        return sum(layer.macs for layer in self.layers)

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Operations that cannot be counted, by name; with any, `macs` is the least."""
        return tuple(sorted({name for layer in self.layers for name in layer.uncounted}))

    @property
    def bytes(self) -> int:
        """Bytes of all parameters and saved buffers."""
        return sum(layer.bytes for layer in self.layers)

    @property
    def rows(self) -> tuple[LayerProfile, ...]:
        """The layers that multiply, or hold at least a hundredth of the weights.

        All of them where the shape of an input is not known.
        """
        least = SLIGHT * self.weights
        return tuple(
            layer
            for layer in self.layers
            if self.input_shape is None
            or layer.macs > 0
            or layer.uncounted
            or 0 < least <= layer.weights
        )

    @property
    def others(self) -> tuple[LayerProfile, ...]:
        """The other layers, such as those that normalize."""
        shown = {layer.name for layer in self.rows}
        return tuple(layer for layer in self.layers if layer.name not in shown)

    def heaviest(self, figure: str) -> tuple[str, int, float]:
        """Say which layers take most.

        `figure`: one of "weights", "macs". Returns: int and float; the name of the layer that takes
        most, 1, and its share, if that is a quarter or more of the whole; else the kind that takes
        most, the number of its layers, and the share of all of them. A share of 0 where nothing is
        known. Raises ValueError if `figure` is another word.
        """
        if figure not in ("weights", "macs"):
            raise ValueError(f"figure: expected 'weights' or 'macs', got {figure!r}")
        taken = {layer.name: getattr(layer, figure) for layer in self.layers}
        whole = sum(taken.values())
        if not whole:
            return "", 0, 0.0
        name = max(taken, key=lambda key: taken[key])
        if taken[name] >= LARGE * whole:
            return name, 1, taken[name] / whole
        kinds: Counter[str] = Counter()
        for layer in self.layers:
            kinds[layer.kind] += getattr(layer, figure)
        kind, most = kinds.most_common(1)[0]
        alike = [layer for layer in self.layers if layer.kind == kind and getattr(layer, figure)]
        return kind, len(alike), most / whole

    def share(self, layers: Sequence[LayerProfile]) -> Share:
        """Sum up what some of the layers take."""
        weights, macs = sum(each.weights for each in layers), sum(each.macs for each in layers)
        return Share(
            weights,
            macs,
            sum(each.bytes for each in layers),
            sum(each.activations for each in layers),
            weights / (self.weights or 1),
            macs / (self.macs or 1),
        )


def anatomy(net: nn.Module, input_shape: Sequence[int] | None) -> Anatomy:
    """Take a network apart; each network and input shape once.

    `net`: left unchanged. `input_shape`: shape of one input, without the batch; None leaves out
    what depends on it. Raises ValueError if the network does not take the input.

    Examples
    --------
    >>> found = anatomy(nn.Sequential(nn.Linear(8, 9), nn.Linear(9, 1)), (8,))
    >>> found.heaviest("weights"), found.macs
    (('0', 1, 0.8888888888888888), 81)
    """
    shape = None if input_shape is None else tuple(input_shape)
    kept, key = _kept.setdefault(net, {}), (shape, *_structure(net))
    if key not in kept:
        layers = _stored(net) if shape is None else _profiled(net, shape)
        kept[key] = Anatomy(layers, shape)
    return kept[key]


def layer_macs(net: nn.Module, found: Anatomy) -> dict[str, int]:
    """Count what the weight of each compressible layer is multiplied by.

    `found`: of the same network. Returns: by the layer's name, as
    `explorer.compress.networks.weights.compressible` gives them; layers that share a weight are
    one.
    """
    names = {id(weight): name for name, weight in compressible(net).items()}
    counts = dict.fromkeys(names.values(), 0)
    for row in found.layers:
        name = names.get(id(getattr(net.get_submodule(row.name), "weight", None)))
        if name is not None:
            counts[name] += row.macs - row.fixed_macs
    return counts


_kept: WeakKeyDictionary[nn.Module, dict[tuple[object, ...], Anatomy]] = WeakKeyDictionary()


def _structure(net: nn.Module) -> tuple[object, ...]:
    """Return what a network's anatomy depends on, but for the code of its modules."""
    modules = tuple((name, type(module)) for name, module in net.named_modules())
    tensors = (*net.named_parameters(), *net.named_buffers())
    return modules, tuple((name, tensor.shape, tensor.dtype) for name, tensor in tensors)


def _profiled(net: nn.Module, shape: tuple[int, ...]) -> tuple[LayerProfile, ...]:
    """Profile a copy, a huge one without computing anything where its code allows that.

    The first use of torch's meta device takes seconds, longer than most networks.
    """
    n_weights = sum(parameter.numel() for parameter in net.parameters())
    if n_weights > COMPUTED_WEIGHTS:
        with contextlib.suppress(ValueError, TypeError):
            return profile(_shell(net, _empty), shape)
    return profile(_shell(net, lambda tensor: tensor), shape)


def _shell(net: nn.Module, put: Callable[[Tensor], Tensor]) -> nn.Module:
    """Copy a network but for its tensors; other threads may go on using it."""
    tensors = (*net.parameters(), *net.buffers())
    return copied(net, {id(tensor): put(tensor) for tensor in tensors})


def _empty(tensor: Tensor) -> Tensor:
    empty = torch.empty_like(tensor, device="meta")
    return nn.Parameter(empty, False) if isinstance(tensor, nn.Parameter) else empty


def _stored(net: nn.Module) -> tuple[LayerProfile, ...]:
    """List what the dense and convolutional layers hold."""
    weights: Mapping[str, Tensor] = compressible(net)
    rows = []
    for name, weight in weights.items():
        module = net.get_submodule(name)
        held = sum(p.numel() * p.element_size() for p in module.parameters(recurse=False))
        rows.append(
            LayerProfile(
                name, type(module).__name__, tuple(weight.shape), weight.numel(), 0, held, 0
            )
        )
    return tuple(rows)
