"""What one inference moves through memory and multiplies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from explorer.measure.anatomy import Anatomy
from explorer.measure.energy import WORD_BITS
from explorer.measure.profile import LayerProfile

Shapes = Mapping[str, tuple[int, ...]]
UNCHANGED: Shapes = MappingProxyType({})


@dataclass(frozen=True)
class Demand:
    """What one inference asks for.

    `weight_bits`: bits of the whole network as stored; each is read once. `macs`:
    multiply-accumulates. `activation_bits`: bits of the input and of the output of every layer that
    multiplies, each at its own width; each is written once and read once. What happens to a value
    between two such layers is taken to happen on its way. `working_bits`: the most that one layer
    reads and writes, where each reads what the one before gives.
    """

    weight_bits: int
    macs: int
    activation_bits: int
    working_bits: int

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 0:
                raise ValueError(f"{name}: expected a count of 0 or more, got {value}.")


def demand(
    found: Anatomy, left: Shapes, weight_bits: int, macs: int, bits: int = WORD_BITS
) -> Demand:
    """Count what one inference asks for.

    `found`: of the original network, for a known input shape. `left`: shapes of the weights of
    layers that may have lost neurons. `weight_bits`, `macs`: as in `Demand`. `bits`: width of an
    activation. Raises ValueError if the anatomy was taken without an input shape.

    Examples
    --------
    >>> from torch import nn
    >>> from explorer.measure.anatomy import anatomy
    >>> found = anatomy(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), (4,))
    >>> demand(found, {}, weight_bits=32 * 18, macs=18)
    Demand(weight_bits=576, macs=18, activation_bits=288, working_bits=224)
    """
    if found.input_shape is None:
        raise ValueError("found: expected an anatomy for a known input shape, got None for it")
    multiplying = [layer for layer in found.layers if layer.macs]
    outputs = [_outputs(layer, left.get(layer.name, layer.shape)) for layer in multiplying]
    counts = [math.prod(found.input_shape), *outputs]
    working = max(a + b for a, b in zip(counts, [*outputs, 0], strict=True))
    return Demand(weight_bits, macs, bits * sum(counts), bits * working)


def _outputs(layer: LayerProfile, shape: tuple[int, ...]) -> int:
    """Return the values that a layer gives once its weights have another shape."""
    axis = 1 if layer.kind.startswith("ConvTranspose") else 0
    whole = layer.shape[axis] if layer.shape else 0
    return layer.activations * shape[axis] // whole if whole else layer.activations
