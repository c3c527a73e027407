"""What devices offer: published memory, bandwidth and energy."""

from __future__ import annotations

import math
from dataclasses import dataclass

from explorer.measure.energy import EIE_WEIGHT_SRAM_BYTES
from explorer.measure.energy_bill import EIE_ACTIVATION_SRAM_BYTES, EnergyBills
from explorer.measure.result import Result

KIB, MIB = 2**10, 2**20
FPS = 30
_MCUNET = (
    "Lin, Chen, Lin, Cohn, Gan, Han. MCUNet: tiny deep learning on IoT devices. NeurIPS 2020. "
    "arXiv:2007.10319"
)
_EIE = (
    "Han et al. EIE: efficient inference engine on compressed deep neural network. ISCA 2016. "
    "arXiv:1602.01528"
)
_STORE = (
    "The limit of 2015 for a download without Wi-Fi, as told in Han, Mao, Dally. Deep "
    "compression. ICLR 2016. arXiv:1510.00149"
)
_PHONE = "The lecture's humble mobile phone"


@dataclass(frozen=True)
class Budget:
    """What one device offers.

    `offers`: what there is, such as ``"flash"``. `need`: one of "file", "working", "memory",
    "flops"; what has to fit into it: the compressed file; what one layer reads and writes; the
    decoded network with that; or the operations of 30 inferences a second. `amount`: bytes, or
    operations a second.
    """

    device: str
    offers: str
    need: str
    amount: int
    source: str


BUDGETS = (
    Budget("Cortex-M4 (STM32F412)", "flash", "file", MIB, _MCUNET),
    Budget("Cortex-M4 (STM32F412)", "SRAM", "working", 256 * KIB, _MCUNET),
    Budget("Cortex-M7 (STM32H743)", "flash", "file", 2 * MIB, _MCUNET),
    Budget("Cortex-M7 (STM32H743)", "SRAM", "working", 512 * KIB, _MCUNET),
    Budget(
        "Raspberry Pi 4", "L2 cache", "file", MIB, "Raspberry Pi documentation, processor BCM2711"
    ),
    Budget("EIE chip", "SRAM for weights", "file", EIE_WEIGHT_SRAM_BYTES, _EIE),
    Budget("EIE chip", "SRAM for activations", "working", EIE_ACTIVATION_SRAM_BYTES, _EIE),
    Budget("Phone", "download over the air", "file", 100 * 10**6, _STORE),
    Budget("Phone", "RAM", "memory", 10**9, _PHONE),
    Budget("Phone", "operations a second", "flops", 5 * 10**8, _PHONE),
)


@dataclass(frozen=True)
class Needs:
    """What a network asks for.

    `file`: bytes of the file. `working`: bytes of activations that the largest layer reads and
    writes. `memory`: bytes of the decoded weights, zeros and shared values written out, with
    `working`. `flops`: operations a second at 30 inferences a second, a multiply and an add counted
    as two.
    """

    file: int
    working: int
    memory: int
    flops: int


@dataclass(frozen=True)
class Fit:
    """A budget, and what is asked of it.

    `before`, `after`: by the original and by the compressed network, in the budget's unit.
    """

    budget: Budget
    before: int
    after: int

    @property
    def fitted(self) -> bool:
        """Whether the original network keeps to the budget."""
        return self.before <= self.budget.amount

    @property
    def fits(self) -> bool:
        """Whether the compressed network keeps to the budget."""
        return self.after <= self.budget.amount


def device_fits(
    result: Result, bills: EnergyBills, budgets: tuple[Budget, ...] = BUDGETS
) -> tuple[Fit, ...]:
    """Hold a network against what devices offer.

    `result`: of the recipe. `bills`: of the same; they know the activations. Returns: one for each
    budget. Raises ValueError if a budget is for something else than `Needs` names.
    """
    known = Needs.__dataclass_fields__
    for budget in budgets:
        if budget.need not in known:
            raise ValueError(
                f"budgets: need of {budget.device} must be one of {', '.join(known)}, "
                f"got {budget.need!r}"
            )
    before, after = bills.before.demand, bills.after.demand
    whole = result.original_bytes
    gone = sum(
        layer.original_bits * (1 - math.prod(layer.shape) / layer.n_weights) / 8
        for layer in result.layers
    )
    first = _needs(whole, whole, before.working_bits, before.macs)
    now = _needs(result.size_bytes, whole - round(gone), after.working_bits, after.macs)
    return tuple(Fit(b, getattr(first, b.need), getattr(now, b.need)) for b in budgets)


def _needs(file: int, decoded: int, working_bits: int, macs: int) -> Needs:
    working = math.ceil(working_bits / 8)
    return Needs(file, working, decoded + working, 2 * macs * FPS)
