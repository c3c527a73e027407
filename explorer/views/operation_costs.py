"""What one operation costs: adding, multiplying, fetching."""

from __future__ import annotations

from explorer.measure.energy import EnergyTable
from explorer.measure.formulas.formula import Formula
from explorer.views.bars import Bars, bar_row
from explorer.views.caption import caption
from explorer.views.format import TIMES
from explorer.views.formula import FormulaView
from explorer.widgets import View

_NAMES = {
    "int32_add": "Add, integers",
    "float32_add": "Add, floating point",
    "register_file": "Read a register",
    "int32_mult": "Multiply, integers",
    "float32_mult": "Multiply, floating point",
    "sram_cache": "Read SRAM on the chip",
    "dram": "Read DRAM",
}
_SOURCE = "Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014"


class OperationCostsView(View):
    """One bar an operation on 32 bits, on a linear scale, and what follows for a large network."""

    def __init__(self) -> None:
        heads = ["32-bit operation", "", "Energy", "Relative"]
        self._bars = Bars("Energy of one operation on 32 bits", heads, "ex-bars-short")
        self._caption = caption()
        self._formula = FormulaView()
        self._formula.add_class("ex-no-caption")
        self._shown: tuple[EnergyTable, Formula] | None = None
        super().__init__([self._bars, self._caption, self._formula])

    def draw(self, table: EnergyTable, example: Formula) -> None:
        """Show a table of energies and an example worked with it."""
        if self._shown == (table, example):
            return
        self._shown = table, example
        energies = {name: getattr(table, name) for name in _NAMES}
        least, most = min(energies.values()), max(energies.values())
        rows = []
        for name, energy in energies.items():
            text, ratio = f"{energy:g} pJ", f"{energy / least:,.0f}{TIMES}"
            words = f"{_NAMES[name]}: {text}, {ratio} the cheapest"
            rows.append(
                bar_row(_NAMES[name], [[(0.0, energy / most, "after")]], [text, ratio], words)
            )
        self._bars.show(rows)
        self._caption.value = (
            f"Look at the last bar: fetching a number costs {most / table.float32_mult:,.0f} times "
            f"as much as multiplying with it. 45 nm process; {_SOURCE}."
        )
        self._formula.draw(example)
