"""The singular values of a layer's matrix and the part that is kept."""

from __future__ import annotations

import bqplot
import numpy as np
from ipywidgets import HTML

from explorer.measure.spectrum import Spectrum
from explorer.views.caption import caption
from explorer.views.legend import legend, swatch_key
from explorer.views.marks import move
from explorer.views.plot import (
    ACCENT,
    BEFORE,
    count_axis,
    dashed_lines,
    figure,
    round_ticks,
    set_ticks,
    vertical,
)
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
