"""The weights' distribution before and after compression."""

from __future__ import annotations

from typing import Any

import bqplot
import numpy as np
from ipywidgets import HTML

from explorer.measure.maps import Histogram
from explorer.views.format import count_text
from explorer.views.parts import caption, legend, swatch_key
from explorer.views.plot import (
    ACCENT,
    BEFORE,
    CountAxis,
    dashed_lines,
    figure,
    move,
    round_places,
    span,
    vertical,
)
from explorer.widgets import View

_NAMES = {"before": "before", "after": "after", "mark": "threshold", "tick": "shared values"}


class HistogramView(View):
    """Bars before (grey) and after (accent), the threshold dashed, shared values as ticks.

    The count axis is linear, or grows with the square root where the tallest bar would
    hide the others; the axis says which.
    """

    def __init__(self) -> None:
        self._x, self._count = bqplot.LinearScale(), CountAxis()
        self._height = bqplot.LinearScale(min=0.0, max=1.0)
        self._before = self._bars(BEFORE)
        self._after = self._bars(ACCENT)
        self._threshold = dashed_lines(self._x, self._height)
        self._levels = dashed_lines(self._x, self._height)
        self._levels.line_style, self._levels.stroke_width = "solid", 1.0
        self._x_axis = bqplot.Axis(
            scale=self._x, label="weight", label_offset="34px", grid_lines="none"
        )
        self._figure = figure(
            [self._before, self._after, self._threshold, self._levels],
            [self._x_axis, self._count.axis],
        )
        self._caption = caption()
        self._legend = HTML()
        super().__init__([self._figure, self._legend, self._caption])

    def _bars(self, color: str) -> bqplot.Bars:
        return bqplot.Bars(
            x=np.zeros(1),
            y=np.zeros(1),
            scales={"x": self._x, "y": self._count.scale},
            colors=[color],
            stroke=None,
            padding=0.06,
        )

    def draw(self, record: Histogram) -> None:
        """Show a record."""
        self._count.fit(np.concatenate([record.before, record.after]))
        ends = float(record.edges[0]), float(record.edges[-1])
        span(self._x, self._x_axis, ends, round_places(*ends), "{:g}".format)
        move(self._before, record.centers, self._count.places(record.before))
        move(self._after, record.centers, self._count.places(record.after))
        self._draw_marks(record)
        self._caption.value = _caption_text(record)

    def _draw_marks(self, record: Histogram) -> None:
        at = [] if record.threshold is None else [-record.threshold, record.threshold]
        move(self._threshold, *vertical(at, 0.0, 1.0))
        levels: Any = [] if record.levels is None else record.levels
        move(self._levels, *vertical(levels, 0.0, 0.05))
        self._legend.value = _legend(len(at) > 0, len(levels) > 0)


def _legend(threshold: bool, levels: bool) -> str:
    """Name what is drawn."""
    drawn = ["before", "after", *(["mark"] if threshold else []), *(["tick"] if levels else [])]
    return legend(swatch_key(kind, _NAMES[kind]) for kind in drawn)


def _caption_text(record: Histogram) -> str:
    if not record.n_after:
        return f"None of {count_text(record.n_before)} weights is left. Look at the accuracy."
    text = f"{count_text(record.n_after)} of {count_text(record.n_before)} weights are left. "
    if record.levels is not None:
        n_levels = len(record.levels)
        return text + f"See how the weights gather on {n_levels} shared values (ticks)."
    if record.threshold is not None and record.n_after < record.n_before:
        return text + f"Look for the gap: weights within ±{record.threshold:.3g} became zero."
    return text + "Look at how many weights lie close to zero: those can go first."
