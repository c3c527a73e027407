"""Energy of one inference item by item, and the power that many a second take."""

from __future__ import annotations

from typing import Any

from ipywidgets import FloatLogSlider

from explorer.measure.energy_bill import EnergyBills, EnergyItem
from explorer.views.format import at_least, energy_text, ratio_text
from explorer.views.parts import caption
from explorer.views.tables import Bars, bar_row
from explorer.widgets import View

FPS = 30.0
MOST_FPS = 240
_KEYS = [("before", "before", ""), ("after", "after", "")]
_UNITS = {"W": 1.0, "mW": 1e-3, "µW": 1e-6}
_ARROW = "\N{RIGHTWARDS ARROW}"


class EnergyBillView(View):
    """Two bars an item, before and after, and a dial for the inferences a second."""

    def __init__(self) -> None:
        self._record: EnergyBills | None = None
        self._dial = FloatLogSlider(
            value=FPS, base=10, min=0, max=2.3802, step=0.01, readout_format=".0f"
        )
        self._dial.description = "Inferences per second"
        self._dial.tooltip = (
            "How many images the network looks at in a second: power = energy per inference · "
            "inferences per second. Size and accuracy stay as they are."
        )
        self._dial.add_class("ex-dial-fps")
        self._dial.observe(lambda _change: self._show(), "value")
        heads = ["", "", "Energy", "Power"]
        self._bars = Bars("Estimated energy of one inference", heads, "ex-bars-speed")
        self._caption, self._source = caption(), caption()
        self._source.add_class("ex-sources")
        super().__init__([self._dial, self._bars, self._caption, self._source])

    @property
    def fps(self) -> int:
        """Inferences a second that the dial stands at."""
        return min(MOST_FPS, max(1, round(self._dial.value)))

    def draw(self, record: EnergyBills) -> None:
        """Show a record."""
        self._record = record
        self._show()

    def _show(self) -> None:
        if self._record is None:
            return
        before, after = self._record.before, self._record.after
        longest = max(before.total_pj, after.total_pj) or 1.0
        pairs = zip(
            [*before.items, before.total_item], [*after.items, after.total_item], strict=True
        )
        rows = [_row(old, new, longest, self.fps) for old, new in pairs]
        self._bars.show(rows, _KEYS)
        self._caption.value = _caption_text(self._record, self.fps)
        self._source.value = f"{self._record.chip.source}."


def _row(before: EnergyItem, after: EnergyItem, longest: float, fps: int) -> dict[str, Any]:
    energies = [energy_text(item.energy_pj) for item in (before, after)]
    powers = [power_text(item.watts(fps)) for item in (before, after)]
    tracks = [
        [(0.0, before.energy_pj / longest, "before")],
        [(0.0, after.energy_pj / longest, "after")],
    ]
    memory = before.memory
    if after.memory != before.memory:
        memory = f"{before.memory} {_ARROW} {after.memory}"
    words = f"{before.name}{f', {memory}' if memory else ''}: {energies[0]} before, "
    words += f"{energies[1]} after; {powers[0]} before, {powers[1]} after"
    return bar_row(before.name, tracks, ["\n".join(energies), "\n".join(powers)], words, memory)


def power_text(watts: float) -> str:
    """Power in the unit that leaves one to three digits before the point: ``"12.8 W"``."""
    unit = next((u for u, least in _UNITS.items() if watts >= 0.9995 * least), "µW")
    number = watts / _UNITS[unit]
    return f"{number:,.0f} {unit}" if number >= 999.5 else f"{number:.3g} {unit}"


def _caption_text(record: EnergyBills, fps: int) -> str:
    before, after = record.before, record.after
    power = f"{power_text(before.watts(fps))} {_ARROW} {power_text(after.watts(fps))}"
    least = at_least(record.uncounted)
    told = f"Estimate for a chip like {record.chip.name}: {least}{power} "
    told += f"at {fps} inferences per second"
    if after.total_pj and after.total_pj < before.total_pj:
        told += f", {ratio_text(before.total_pj / after.total_pj)} less"
    moved = before.weight_memory != after.weight_memory
    look = (
        "Look at the weights: all of them fit into the chip's own memory now."
        if moved and after.weight_memory == "SRAM"
        else "See what costs most: fetching from distant memory, or computing."
    )
    return f"{told}. {look}"
