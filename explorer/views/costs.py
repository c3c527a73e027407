"""Costs: weights and operations left by layer, energy of an operation, what devices offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.measure.energy import EnergyTable
from explorer.measure.formulas.formula import Formula
from explorer.measure.published.devices import KIB, MIB, Fit
from explorer.measure.published.pruning import LayerCost, LayerCosts, PublishedLayer
from explorer.views.format import DASH, TIMES, count_text, percent_text, size_text
from explorer.views.formula import FormulaView
from explorer.views.parts import caption
from explorer.views.tables import Bars, Table, bar_row
from explorer.widgets import View


class LayerCostsView(View):
    """A row for each layer and one for all."""

    def __init__(self) -> None:
        self._table = Table("Weights and operations left in each layer", "ex-table-total")
        self._caption, self._source = caption(), caption()
        self._source.add_class("ex-sources")
        super().__init__([self._table, self._caption, self._source])

    def draw(self, record: LayerCosts) -> None:
        """Show a record."""
        theirs = [*record.published.layers, record.published.total] if record.published else []
        ours = [*record.layers, record.total]
        rows = [
            _cells(row, theirs[i] if theirs else None, bool(record.n_samples))
            for i, row in enumerate(ours)
        ]
        self._table.show([(head, "") for head in _heads(record)], rows)
        self._caption.value = _caption_text(record)
        self._source.value = f"{record.published.source}." if record.published else ""


def _heads(record: LayerCosts) -> list[str]:
    """Name the columns: the paper's stand behind ours."""
    inputs = ["Inputs not 0"] if record.n_samples else []
    if not record.published:
        return ["Layer", "Weights", *inputs, "FLOP"]
    return ["Layer", "Weights", "Weights, paper", *inputs, "FLOP", "FLOP, paper"]


def _cells(row: LayerCost, theirs: PublishedLayer | None, with_density: bool) -> list[str]:
    kept, flops = [percent_text(row.kept)], [percent_text(row.flops)]
    name = row.name
    if theirs is not None:
        name = name if theirs.name == name else f"{name} ({theirs.name})"
        kept.append(_printed(theirs.kept))
        flops.append(_printed(theirs.flops))
    inputs = [_percent(row.density)] if with_density else []
    return [name, *kept, *inputs, *flops]


def _percent(fraction: float | None) -> str:
    return "" if fraction is None else percent_text(fraction)


def _printed(fraction: float | None) -> str:
    """Write a fraction in percent with the digits that the paper gives."""
    return DASH if fraction is None else f"{100 * fraction:g}%"


def _caption_text(record: LayerCosts) -> str:
    counted = (
        "multiplications left, times the inputs that are not zero, counted on "
        f"{record.n_samples:,} samples; the first layer's count in full."
        if record.n_samples
        else "zeros among the weights are skipped; without data those among activations are not "
        "counted."
    )
    how = f"What is left of each layer. FLOP: {counted}"
    if record.other_macs:
        how += (
            f" The total has {count_text(record.other_macs)} multiplications more, of which no "
            "zero saves any: recurrent layers, attention and the like."
        )
    if record.published is None:
        return f"{how} See which layer keeps most: that one is pruned least."
    table = record.published
    other = "" if table.same else f" The paper's {table.network} has layers of other widths."
    look = "See which layers are pruned more than the paper's, and which less."
    return f"{how} {look}{other}"


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


FITS, TOO_BIG = "fits", "too big"
_KEYS = [("fits", FITS, ""), ("grown", TOO_BIG, "")]
_NEEDS = {
    "file": "the file",
    "working": "one layer's activations",
    "memory": "weights written out, and activations",
    "flops": "30 inferences per second",
}


class DevicesView(View):
    """One bar a budget, full where it is spent, with the word for it."""

    def __init__(self) -> None:
        heads = ["Device", "Part of the budget", "Needed of offered", ""]
        self._bars = Bars("What devices offer and the network needs", heads, "ex-bars-devices")
        self._caption, self._sources = caption(), caption()
        self._sources.add_class("ex-sources")
        super().__init__([self._bars, self._caption, self._sources])

    def draw(self, record: Sequence[Fit]) -> None:
        """Show budgets."""
        self._bars.show([_row(fit) for fit in record], _KEYS)
        self._caption.value = _fits_text(record)
        sources = dict.fromkeys(fit.budget.source for fit in record)
        self._sources.value = f"Sources: {'; '.join(sources)}." if sources else ""


def _row(fit: Fit) -> dict[str, Any]:
    budget = fit.budget
    part = min(1.0, fit.after / budget.amount)
    track = [(0.0, part, FITS if fit.fits else "grown")]
    unit = budget.need == "flops"
    amounts = f"{_text(fit.after, unit)} of {_text(budget.amount, unit)}"
    word = FITS if fit.fits else TOO_BIG
    change = " now" if fit.fits and not fit.fitted else ""
    detail = f"{budget.offers}: {_NEEDS[budget.need]}"
    words = f"{budget.device}, {detail}: {amounts}, {word}{change}"
    return bar_row(budget.device, [track], [amounts, f"{word}{change}"], words, detail)


def _text(amount: int, operations: bool) -> str:
    if operations:
        return f"{count_text(amount)}/s"
    for size, unit in ((MIB, "MiB"), (KIB, "KiB")):
        if amount >= size and amount % size == 0:
            return f"{amount // size:,} {unit}"
    return size_text(amount)


def _fits_text(record: Sequence[Fit]) -> str:
    fits = sum(fit.fits for fit in record)
    gained = [fit.budget for fit in record if fit.fits and not fit.fitted]
    told = f"{fits} of {len(record)} budgets are met."
    if gained:
        named = f"{gained[0].device}, {gained[0].offers}"
        return f"{told} Look at what compression made fit: {named}."
    return f"{told} See which bar is next to fit: make the file smaller and watch it change."
