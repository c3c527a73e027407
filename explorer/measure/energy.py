"""Energy of one inference, estimated from operations and memory traffic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from explorer.measure.anatomy import Anatomy
from explorer.measure.profile import LayerProfile

WORD_BITS = 32
EIE_WEIGHT_SRAM_BYTES = 8 * 2**20


@dataclass(frozen=True)
class EnergyTable:
    """Energy of one operation on 32-bit words in a 45 nm process, in picojoules.

    `sram_cache`, `dram`: reading 32 bits.

    References
    ----------
    Horowitz. "Computing's energy problem (and what we can do about it)". ISSCC
    2014; as quoted in Han, Pool, Tran, Dally. "Learning both weights and
    connections for efficient neural networks". NeurIPS 2015. arXiv:1506.02626.
    """

    int32_add: float = 0.1
    float32_add: float = 0.9
    register_file: float = 1.0
    int32_mult: float = 3.1
    float32_mult: float = 3.7
    sram_cache: float = 5.0
    dram: float = 640.0


ENERGY_45NM = EnergyTable()


@dataclass(frozen=True)
class Energy:
    """Estimated energy of one inference, in picojoules; not a measurement.

    `memory_pj`: for reading the weights. `arithmetic_pj`: for multiplying and adding. `memory`:
    where the weights are read from, ``"SRAM"`` or ``"DRAM"``.
    """

    memory_pj: float
    arithmetic_pj: float
    memory: str

    @property
    def total_pj(self) -> float:
        """Both together."""
        return self.memory_pj + self.arithmetic_pj


def estimate(
    weight_bits: int,
    macs: int,
    sram_bytes: int = EIE_WEIGHT_SRAM_BYTES,
    table: EnergyTable = ENERGY_45NM,
) -> Energy:
    """Estimate the energy of one inference.

    Each bit of the weights is read once, from SRAM if all of them fit into it and
    from DRAM if not; each multiply-accumulate is a 32-bit floating-point multiply
    and add. Reading and writing activations, decoding, control and leakage are
    left out, so compare such estimates with one another only.

    `weight_bits`: bits of the whole network as stored, codebooks and positions included. `macs`:
    multiply-accumulates of one inference; leave out those with pruned weights only if the hardware
    skips them. `sram_bytes`: bytes of SRAM for weights. The default, 8 MiB, is what EIE has: 128
    KiB in each of 64 processing elements. 0: everything is read from DRAM. `table`: energy of one
    operation. Raises ValueError if a count is negative.

    References
    ----------
    Horowitz. "Computing's energy problem (and what we can do about it)". ISSCC
    2014.

    Han et al. "EIE: efficient inference engine on compressed deep neural
    network". ISCA 2016. arXiv:1602.01528.

    Examples
    --------
    A network of 1e9 connections at 20 frames a second reads DRAM at 12.8 W:

    >>> energy = estimate(weight_bits=32 * 10**9, macs=10**9)
    >>> round(energy.memory_pj * 1e-12 * 20, 9)
    12.8
    """
    for name, value in {"weight_bits": weight_bits, "macs": macs, "sram_bytes": sram_bytes}.items():
        if value < 0:
            raise ValueError(f"{name}: expected a count of 0 or more, got {value}.")
    fits = weight_bits <= 8 * sram_bytes
    word_pj = table.sram_cache if fits else table.dram
    return Energy(
        memory_pj=weight_bits / WORD_BITS * word_pj,
        arithmetic_pj=macs * (table.float32_mult + table.float32_add),
        memory="SRAM" if fits else "DRAM",
    )


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
