"""Relative errors, one bar a stage or a block."""

from __future__ import annotations

from explorer.measure.spectrum import StageErrors
from explorer.views.bars import Bars, bar_row
from explorer.views.caption import caption
from explorer.views.format import percent_text
from explorer.views.plot import round_ticks
from explorer.widgets import View

DRAWN = 32


class StageErrorsView(View):
    """Bars of relative error; of more than 32, neighbors share a bar that shows the worst."""

    def __init__(self) -> None:
        self._bars = Bars("Relative errors", class_="ex-bars-short ex-bars-scroll")
        self._caption = caption()
        super().__init__([self._bars, self._caption])

    def draw(self, record: StageErrors) -> None:
        """Show a record."""
        labels, errors, per_bar = _grouped(record)
        top = round_ticks(max([*errors, 1e-9]))[-1]
        self._bars.heads = [
            record.kind.capitalize(),
            f"0 to {percent_text(top, 0 if top >= 0.1 else 1)}",
            "Relative error",
        ]
        rows = []
        for label, error in zip(labels, errors, strict=True):
            text = percent_text(error)
            words = f"{record.kind} {label}: relative error {text}"
            rows.append(bar_row(label, [[(0.0, error / top, "after")]], [text], words))
        self._bars.show(rows)
        self._caption.value = _caption_text(record, per_bar)


def _grouped(record: StageErrors) -> tuple[list[str], list[float], int]:
    per_bar = -(-len(record.errors) // DRAWN)
    if per_bar <= 1:
        return list(record.labels), list(record.errors), 1
    starts = range(0, len(record.errors), per_bar)
    groups = [record.labels[i : i + per_bar] for i in starts]
    labels = [f"{group[0]}\N{EN DASH}{group[-1]}" for group in groups]
    return labels, [max(record.errors[i : i + per_bar]) for i in starts], per_bar


def _caption_text(record: StageErrors, per_bar: int) -> str:
    if not record.errors:
        return "No errors to show: the step leaves this layer alone."
    if record.kind == "stage":
        return (
            f"{percent_text(record.errors[-1])} is left after the last stage. "
            "See how much less each further stage takes away."
        )
    worst = max(range(len(record.errors)), key=lambda i: record.errors[i])
    shared = f" Each bar shows the worst of {per_bar} neighbors." if per_bar > 1 else ""
    return (
        f"Look for the blocks that are reproduced worst: block {record.labels[worst]}, "
        f"{percent_text(record.errors[worst])}.{shared}"
    )
