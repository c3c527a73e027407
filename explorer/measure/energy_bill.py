"""Energy and power of one inference, item by item: an estimate from a published table."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.measure.anatomy import Anatomy
from explorer.measure.energy import (
    EIE_WEIGHT_SRAM_BYTES,
    ENERGY_45NM,
    UNCHANGED,
    WORD_BITS,
    Demand,
    EnergyTable,
    demand,
    estimate,
)
from explorer.measure.result import Result

EIE_ACTIVATION_SRAM_BYTES = 128 * 2**10
WATTS_PER_PJ_A_SECOND = 1e-12


@dataclass(frozen=True)
class Chip:
    """Memory on the chip, and what each operation takes.

    `weight_sram_bytes`, `activation_sram_bytes`: the default is that of EIE: 64 processing elements
    with 128 KiB for weights and 2 KiB for activations each.

    References
    ----------
    Han et al. "EIE: efficient inference engine on compressed deep neural network".
    ISCA 2016. arXiv:1602.01528.

    Horowitz. "Computing's energy problem (and what we can do about it)". ISSCC 2014.
    """

    name: str = "EIE"
    weight_sram_bytes: int = EIE_WEIGHT_SRAM_BYTES
    activation_sram_bytes: int = EIE_ACTIVATION_SRAM_BYTES
    table: EnergyTable = ENERGY_45NM
    source: str = (
        "Energy: Horowitz, Computing's energy problem, ISSCC 2014, 45 nm. Memory on the chip: "
        "Han et al., EIE, ISCA 2016, arXiv:1602.01528"
    )


EIE = Chip()


@dataclass(frozen=True)
class EnergyItem:
    """One item of a bill.

    `energy_pj`: picojoules for one inference. `memory`: where it is spent, ``"SRAM"`` or
    ``"DRAM"``; "" if in no memory.
    """

    name: str
    energy_pj: float
    memory: str = ""

    def watts(self, fps: float) -> float:
        """Return the power that so many inferences a second take.

        Raises ValueError if `fps` is negative.
        """
        if fps < 0:
            raise ValueError(f"fps: expected 0 or more inferences a second, got {fps}")
        return self.energy_pj * WATTS_PER_PJ_A_SECOND * fps


@dataclass(frozen=True)
class EnergyBill:
    """Estimated energy of one inference, item by item, in picojoules; not a measurement.

    `weights_pj`, `activations_pj`, `arithmetic_pj`: for reading weights, for writing and reading
    activations, and for multiplying and adding in 32-bit floating point. `weight_memory`,
    `activation_memory`: where they lie, ``"SRAM"`` or ``"DRAM"``. `demand`: what it is for.
    """

    weights_pj: float
    activations_pj: float
    arithmetic_pj: float
    weight_memory: str
    activation_memory: str
    demand: Demand

    @property
    def total_pj(self) -> float:
        """All three together."""
        return self.weights_pj + self.activations_pj + self.arithmetic_pj

    @property
    def items(self) -> tuple[EnergyItem, ...]:
        """What is summed."""
        return (
            EnergyItem("Reading weights", self.weights_pj, self.weight_memory),
            EnergyItem("Activations", self.activations_pj, self.activation_memory),
            EnergyItem("Arithmetic", self.arithmetic_pj),
        )

    @property
    def total_item(self) -> EnergyItem:
        """The sum, as an item."""
        return EnergyItem("Together", self.total_pj)

    def watts(self, fps: float) -> float:
        """Return the power that so many inferences a second take.

        Raises ValueError if `fps` is negative.
        """
        return self.total_item.watts(fps)


@dataclass(frozen=True)
class EnergyBills:
    """The bills of the original and of the compressed network.

    `chip`: what both are for. `uncounted`: operations that are not counted; with any, the energies
    are at least so much.
    """

    before: EnergyBill
    after: EnergyBill
    chip: Chip = EIE
    uncounted: tuple[str, ...] = ()


def energy_bill(demand: Demand, chip: Chip = EIE) -> EnergyBill:
    """Estimate the energy of one inference.

    Weights come from SRAM if all of them fit into the chip's part for them, activations if
    the most that one layer reads and writes fits into the part for those; else from DRAM.
    Weights and arithmetic are those of `explorer.measure.energy.estimate`. Decoding, control
    and leakage are left out, so compare such estimates with one another only.

    References
    ----------
    Horowitz. "Computing's energy problem (and what we can do about it)". ISSCC 2014.

    Examples
    --------
    >>> weights_alone = Demand(32 * 10**9, macs=0, activation_bits=0, working_bits=0)
    >>> round(energy_bill(weights_alone).watts(20), 9)
    12.8
    """
    known = estimate(demand.weight_bits, demand.macs, chip.weight_sram_bytes, chip.table)
    fits = demand.working_bits <= 8 * chip.activation_sram_bytes
    word_pj = chip.table.sram_cache if fits else chip.table.dram
    return EnergyBill(
        weights_pj=known.memory_pj,
        activations_pj=2 * demand.activation_bits / WORD_BITS * word_pj,
        arithmetic_pj=known.arithmetic_pj,
        weight_memory=known.memory,
        activation_memory="SRAM" if fits else "DRAM",
        demand=demand,
    )


def energy_bills(
    found: Anatomy, result: Result, chip: Chip = EIE, bits: int = WORD_BITS
) -> EnergyBills | None:
    """Estimate the energy of one inference before and after compression.

    The one place that does: a `Result`'s energies are the totals of these bills.

    `found`: of the original network. `result`: of the recipe. `bits`: width of an activation.
    Returns: none where the shape of an input is not known.
    """
    if found.input_shape is None or result.macs is None or result.original_macs is None:
        return None
    before = demand(found, UNCHANGED, 8 * result.original_bytes, result.original_macs, bits)
    left = {row.name: row.shape for row in result.layers}
    after = demand(found, left, 8 * result.size_bytes, result.macs, bits)
    return EnergyBills(energy_bill(before, chip), energy_bill(after, chip), chip, found.uncounted)
