"""Whether a network keeps to what devices offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.measure.published.devices import KIB, MIB, Fit
from explorer.views.bars import Bars, bar_row
from explorer.views.caption import caption
from explorer.views.format import count_text, size_text
from explorer.widgets import View

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
        self._caption.value = _caption_text(record)
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


def _caption_text(record: Sequence[Fit]) -> str:
    fits = sum(fit.fits for fit in record)
    gained = [fit.budget for fit in record if fit.fits and not fit.fitted]
    told = f"{fits} of {len(record)} budgets are met."
    if gained:
        named = f"{gained[0].device}, {gained[0].offers}"
        return f"{told} Look at what compression made fit: {named}."
    return f"{told} See which bar is next to fit: make the file smaller and watch it change."
