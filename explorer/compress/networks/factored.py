"""Low-rank layers as what makes them fast: two smaller layers in place of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from explorer.compress.methods.low_rank import LowRanked, break_even_rank
from explorer.compress.networks.plain import copied
from explorer.compress.records.record import Record

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
READ_WEIGHTS = (nn.MultiheadAttention, nn.TransformerEncoderLayer)


@dataclass(frozen=True, eq=False)
class Factored:
    """A network whose low-rank layers were split.

    `net`: gives the same outputs, but for rounding. `split`: layers that became two smaller ones.
    `dense`: low-rank layers that stayed whole, and why.
    """

    net: nn.Module
    split: tuple[str, ...]
    dense: Mapping[str, str]


class FactoredPair(nn.Sequential):
    """Two layers in place of one, whose weight and bias can still be read."""

    @property
    def weight(self) -> Tensor:
        """The product of the two layers' weights, shape of the one layer's."""
        first, second = (cast(Tensor, layer.weight) for layer in self)
        return (second.flatten(1) @ first.flatten(1)).reshape(len(second), *first.shape[1:])

    @property
    def bias(self) -> Tensor | None:
        """The one layer's bias."""
        return cast("Tensor | None", self[1].bias)


def factored(net: nn.Module, records: Mapping[str, Record]) -> Factored:
    """Replace each low-rank layer of a restored network by two smaller layers.

    A dense layer becomes one to k values without a bias and one from k values. A
    convolution becomes k filters of its kernel size, with its stride, padding and
    dilation, and a 1x1 convolution with its bias. The singular values go into the
    second.

    `net`: a network that holds the restored weights; it is copied and left unchanged. `records`: by
    layer name. Records of other kinds than `LowRanked` are passed over. Returns: layers stay whole
    where they are no plain dense layer or ungrouped convolution, where single weights are pruned or
    shared with another layer, or where two layers would take more multiplications than one. Raises
    ValueError if a record names no layer of `net`, or one of another shape.

    References
    ----------
    Denton, Zaremba, Bruna, LeCun, Fergus. "Exploiting linear structure within
    convolutional networks for efficient evaluation". NeurIPS 2014. arXiv:1404.0736.

    Examples
    --------
    >>> from explorer.compress.methods.low_rank import LowRank
    >>> layer = nn.Linear(100, 50)
    >>> factored(layer, {"": LowRank(rank=4)(layer.weight)}).net
    FactoredPair(
      (0): Linear(in_features=100, out_features=4, bias=False)
      (1): Linear(in_features=4, out_features=50, bias=True)
    )
    """
    low_rank = {name: r for name, r in records.items() if isinstance(r, LowRanked)}
    dense = {}
    pairs: dict[int, nn.Module] = {}
    for name, record in low_rank.items():
        layer = _layer(net, name, record)
        reason = next(_obstacles(net, name, layer, record), "")
        if reason:
            dense[name] = reason
        else:
            pairs[id(layer)] = _pair(layer, record).train(layer.training)
    # A deep copy takes from its memo what it is told was copied before.
    twin = copied(net, dict(pairs))
    return Factored(twin, tuple(name for name in low_rank if name not in dense), dense)


def _layer(net: nn.Module, name: str, record: LowRanked) -> Any:
    try:
        layer = net.get_submodule(name)
    except AttributeError as error:
        raise ValueError(f"records: {name!r} is no layer of net; {error}") from error
    weight = getattr(layer, "weight", None)
    shape = tuple(weight.shape) if isinstance(weight, Tensor) else None
    if shape != tuple(record.full_shape):
        raise ValueError(
            f"records: {name!r} has the shape {tuple(record.full_shape)}, the layer of net "
            f"{shape}; hand over the network that the records were made from"
        )
    return layer


def _obstacles(net: nn.Module, name: str, layer: nn.Module, record: LowRanked) -> Iterator[str]:
    """Yield why a layer cannot be split, or is better not."""
    kind = type(layer)
    if kind not in (nn.Linear, *CONVOLUTIONS):
        yield f"a {kind.__name__} is not split"
    if getattr(layer, "groups", 1) > 1:
        yield "its filters are grouped"
    if record.mask is not None:
        yield "single weights are pruned, which the factors cannot hold"
    parent = net.get_submodule(name.rpartition(".")[0])
    if isinstance(parent, READ_WEIGHTS):
        yield f"{type(parent).__name__} reads its weight directly"
    if layer._forward_hooks or layer._forward_pre_hooks:
        yield "it has hooks"
    others = [other for other in _owners(net, layer.weight) if other != name]
    if others:
        yield f"its weight is that of {others[0]!r}, too"
    limit = break_even_rank(record.left.shape[0], record.right.shape[1])
    if record.rank > limit:
        yield f"two layers are faster up to rank {limit}; its rank is {record.rank}"
    if record.rank == 0:
        yield "nothing of it is left"


def _owners(net: nn.Module, weight: Any) -> list[str]:
    """Names of the modules that hold a parameter."""
    return [
        name
        for name, module in net.named_modules()
        if any(own is weight for own in module.parameters(recurse=False))
    ]


def _pair(layer: Any, record: LowRanked) -> nn.Sequential:
    """Two layers that do what one does whose weight has a low rank."""
    k, kind = record.rank, type(layer)
    if isinstance(layer, nn.Linear):
        ends: tuple[Any, Any] = (layer.in_features, k), (k, layer.out_features)
        sliding: dict[str, Any] = {}
    else:
        ends = (layer.in_channels, k, layer.kernel_size), (k, layer.out_channels, 1)
        kept = ("stride", "padding", "dilation", "padding_mode")
        sliding = {name: getattr(layer, name) for name in kept}
    place = {"device": layer.weight.device, "dtype": layer.weight.dtype}
    first: Any = skip_init(kind, *ends[0], bias=False, **sliding, **place)
    second: Any = skip_init(kind, *ends[1], bias=layer.bias is not None, **place)
    with torch.no_grad():
        first.weight.copy_(record.right.restore().reshape(first.weight.shape))
        second.weight.copy_((record.left.restore() * record.values).reshape(second.weight.shape))
        if layer.bias is not None:
            second.bias.copy_(layer.bias)
    return FactoredPair(first, second).requires_grad_(layer.weight.requires_grad)
