"""Singular values of a layer, and its error stage by stage."""

from __future__ import annotations

import bqplot
import numpy as np
from ipywidgets import HTML

from explorer.measure.spectrum import Spectrum, StageErrors
from explorer.views.format import percent_text
from explorer.views.parts import caption, legend, swatch_key
from explorer.views.plot import (
    ACCENT,
    BEFORE,
    count_axis,
    dashed_lines,
    figure,
    move,
    round_ticks,
    set_ticks,
    vertical,
)
from explorer.views.tables import Bars, bar_row
from explorer.widgets import View, mark

_MAX_POINTS = 300
_LEGEND = legend(
    [
        swatch_key("before", "all"),
        swatch_key("after", "kept"),
        swatch_key("mark", "break-even rank"),
    ]
)


class SpectrumView(View):
    """Singular values as an area, the kept part in accent, the break-even rank dashed."""

    def __init__(self) -> None:
        self._break_even: int | None = None
        self._x, self._y = bqplot.LinearScale(min=0.0), bqplot.LinearScale(min=0.0)
        self._height = bqplot.LinearScale(min=0.0, max=1.0)
        self._all, self._kept = self._area(BEFORE), self._area(ACCENT)
        self._line = dashed_lines(self._x, self._height)
        self._x_axis = bqplot.Axis(
            scale=self._x, label="rank", label_offset="34px", tick_format=",.0f", grid_lines="none"
        )
        self._y_axis = count_axis(self._y, "singular value")
        self._label = bqplot.Axis(scale=self._x, side="top", grid_lines="none")
        axes = [self._x_axis, self._y_axis, self._label]
        self._figure = figure([self._all, self._kept, self._line], axes, top=26)
        self._caption = caption()
        super().__init__([self._figure, HTML(_LEGEND), self._caption])

    def _area(self, color: str) -> bqplot.Lines:
        return bqplot.Lines(
            x=np.zeros(0),
            y=np.zeros(0),
            scales={"x": self._x, "y": self._y},
            colors=[color],
            fill="bottom",
            fill_colors=[color],
            fill_opacities=[0.55],
            stroke_width=1.5,
        )

    def draw(self, record: Spectrum | None) -> None:
        """Show a record, or, given None, say how to come by one."""
        mark(self, "ex-none", record is None)
        if record is None:
            self._caption.value = (
                "Not computed for this layer yet: add the step Low rank to see its singular values."
            )
            return
        ranks, kept = record.drawn(_MAX_POINTS), record.kept(_MAX_POINTS)
        values = record.values[ranks - 1]
        if self._x.max != max(2, record.full_rank):
            self._x.max = float(max(2, record.full_rank))
            set_ticks(self._x_axis, round_ticks(self._x.max)[:-1], "{:,g}".format)
        ticks = round_ticks(float(values.max(initial=0.0)) or 1.0)
        if self._y.max != ticks[-1]:
            self._y.max = ticks[-1]
            set_ticks(self._y_axis, ticks, "{:g}".format)
        move(self._all, ranks, values)
        move(self._kept, kept, record.values[kept - 1])
        self._draw_break_even(record)
        self._caption.value = _caption_text(record)

    def _draw_break_even(self, record: Spectrum) -> None:
        if record.break_even == self._break_even:
            return
        self._break_even = record.break_even
        with self._line.hold_sync():
            self._line.x, self._line.y = vertical([record.break_even], 0.0, 1.0)
        set_ticks(self._label, [float(record.break_even)], "break-even {:,.0f}".format)


def _caption_text(record: Spectrum) -> str:
    source = "" if record.exact else " Randomized values; exact ones follow."
    if record.rank is None:
        text = "See how fast the values fall: the faster, the lower the rank a layer needs."
    elif record.rank > record.break_even:
        text = (
            f"Rank {record.rank:,} of {record.full_rank:,} is beyond break-even: "
            "two factors take more room than the matrix. Look left of the dashed line."
        )
    else:
        text = (
            f"Rank {record.rank:,} of {record.full_rank:,} kept. "
            "Look at the gray area: that is the error. Left of the dashed line a rank saves bytes."
        )
    return text + source


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
        self._caption.value = _stages_text(record, per_bar)


def _grouped(record: StageErrors) -> tuple[list[str], list[float], int]:
    per_bar = -(-len(record.errors) // DRAWN)
    if per_bar <= 1:
        return list(record.labels), list(record.errors), 1
    starts = range(0, len(record.errors), per_bar)
    groups = [record.labels[i : i + per_bar] for i in starts]
    labels = [f"{group[0]}\N{EN DASH}{group[-1]}" for group in groups]
    return labels, [max(record.errors[i : i + per_bar]) for i in starts], per_bar


def _stages_text(record: StageErrors, per_bar: int) -> str:
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
