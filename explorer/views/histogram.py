"""The weights' distribution before and after compression."""

from __future__ import annotations

from typing import Any

import bqplot
import numpy as np
from ipywidgets import HTML, VBox

from explorer.closing import close_all
from explorer.measure.histogram import Histogram
from explorer.views.caption import caption
from explorer.views.count_axis import CountAxis
from explorer.views.format import count_text
from explorer.views.plot import (
    ACCENT,
    BEFORE,
    dashed_lines,
    figure,
    round_places,
    set_ticks,
    vertical,
)

_NAMES = {"before": "before", "after": "after", "mark": "threshold", "tick": "shared values"}


class HistogramView:
    """Bars before (grey) and after (accent), the threshold dashed, shared values as ticks.

    The count axis is linear, or grows with the square root where the tallest bar would
    hide the others; the axis says which.

    Attributes
    ----------
    widget : VBox
        The figure, its legend and its caption.
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
        self.widget = VBox([self._figure, self._legend, self._caption])
        self._shown: Histogram | None = None

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
        """Show a record.

        Parameters
        ----------
        record : Histogram
            Counts over the same edges, before and after.
        """
        same = self._shown is not None and np.array_equal(self._shown.edges, record.edges)
        rescaled = self._count.fit(np.concatenate([record.before, record.after]))
        if not same:
            self._x.min, self._x.max = float(record.edges[0]), float(record.edges[-1])
            set_ticks(self._x_axis, round_places(self._x.min, self._x.max), "{:g}".format)
        centers = (record.edges[:-1] + record.edges[1:]) / 2
        if not same or rescaled or not np.array_equal(self._shown.before, record.before):  # type: ignore[union-attr]
            _set(self._before, centers, self._count.places(record.before))
        _set(self._after, centers, self._count.places(record.after))
        self._draw_marks(record)
        self._caption.value = _caption_text(record)
        self._shown = record

    def _draw_marks(self, record: Histogram) -> None:
        at = [] if record.threshold is None else [-record.threshold, record.threshold]
        _set(self._threshold, *vertical(at, 0.0, 1.0))
        levels: Any = [] if record.levels is None else record.levels
        _set(self._levels, *vertical(levels, 0.0, 0.05))
        self._legend.value = _legend(len(at) > 0, len(levels) > 0)

    def close(self) -> None:
        """Release the widgets in the browser and the kernel."""
        close_all(self.widget)
        marks = [self._before, self._after, self._threshold, self._levels]
        close_all(*marks, self._x_axis, self._count.axis, self._x, self._count.scale, self._height)


def _set(mark: Any, x: np.ndarray, y: np.ndarray) -> None:
    with mark.hold_sync():
        mark.x, mark.y = x, y


def _legend(threshold: bool, levels: bool) -> str:
    """Name what is drawn."""
    drawn = ["before", "after", *(["mark"] if threshold else []), *(["tick"] if levels else [])]
    parts = (
        f'<span><i class="ex-swatch ex-swatch-{kind}"></i>{_NAMES[kind]}</span>' for kind in drawn
    )
    return f'<div class="ex-legend">{"".join(parts)}</div>'


def _caption_text(record: Histogram) -> str:
    kept, total = int(record.after.sum()), int(record.before.sum())
    text = f"{count_text(kept)} of {count_text(total)} weights are left. "
    if record.levels is not None:
        n_levels = len(record.levels)
        return text + f"See how the weights gather on {n_levels} shared values (ticks)."
    if record.threshold is not None:
        return text + f"Look for the gap: weights within ±{record.threshold:.3g} became zero."
    return text + "Look at how many weights lie close to zero: those can go first."
