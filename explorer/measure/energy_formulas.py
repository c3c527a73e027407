"""The lecture's worked example on what memory costs."""

from __future__ import annotations

from explorer.measure.energy import ENERGY_45NM
from explorer.measure.energy_bill import WATTS_PER_PJ_A_SECOND
from explorer.measure.formula import Formula
from explorer.measure.latex import grouped, text


def dram_example(connections: int = 10**9, fps: int = 20) -> Formula:
    """Work out the power for reading every weight of a network from DRAM.

    Parameters
    ----------
    connections : int
        Weights of 32 bits, each read once for an image.
    fps : int
        Images a second.

    Returns
    -------
    Formula
        Exact for the energy table of `explorer.measure.energy.ENERGY_45NM`.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient
    neural networks". NeurIPS 2015. arXiv:1506.02626.
    """
    pj = ENERGY_45NM.dram
    watts = f"{connections * fps * pj * WATTS_PER_PJ_A_SECOND:.3g} W"
    return Formula(
        "Reading 32-bit weights from DRAM",
        r"P = n \cdot f \cdot E",
        rf"= {grouped(connections)} \cdot {fps} \, \text{{/s}} \cdot {text(f'{pj:g} pJ')} "
        rf"= {text(watts)}",
        watts,
        "n connections, each read once an image; f images a second; E for one 32-bit word. Nothing "
        "is computed yet.",
    )
