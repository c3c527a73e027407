"""The weights' distribution before and after compression."""

from __future__ import annotations

from typing import Any

import bqplot
import numpy as np
from ipywidgets import HTML, VBox

from explorer.measure.histogram import Histogram
from explorer.views.caption import caption
from explorer.views.closing import close_all
from explorer.views.format import count_text
from explorer.views.plot import (
    ACCENT,
    BEFORE,
    count_axis,
    dashed_lines,
    figure,
    round_places,
    round_ticks,
    set_ticks,
    vertical,
)

_LEGEND = (
    '<div class="ex-legend"><span><i class="ex-swatch ex-swatch-before"></i>before</span>'
    '<span><i class="ex-swatch ex-swatch-after"></i>after</span>'
    '<span><i class="ex-swatch ex-swatch-mark"></i>threshold, shared values</span></div>'
)


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
        self._x, self._y = bqplot.LinearScale(), bqplot.LinearScale(min=0.0, max=1.0)
        self._height = bqplot.LinearScale(min=0.0, max=1.0)
        self._before = self._bars(BEFORE)
        self._after = self._bars(ACCENT)
        self._threshold = dashed_lines(self._x, self._height)
        self._levels = dashed_lines(self._x, self._height)
        self._levels.line_style, self._levels.stroke_width = "solid", 1.0
        self._x_axis = bqplot.Axis(
            scale=self._x, label="weight", label_offset="34px", grid_lines="none"
        )
        self._y_axis = count_axis(self._y, "count")
        self._figure = figure(
            [self._before, self._after, self._threshold, self._levels],
            [self._x_axis, self._y_axis],
        )
        self._caption = caption()
        self.widget = VBox([self._figure, HTML(_LEGEND), self._caption])
        self._shown: Histogram | None = None
        self._axis: tuple[bool, float] | None = None

    def _bars(self, color: str) -> bqplot.Bars:
        return bqplot.Bars(
            x=np.zeros(1),
            y=np.zeros(1),
            scales={"x": self._x, "y": self._y},
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
        axis = _axis_of(record)
        rescale = np.sqrt if axis[0] else np.asarray
        if not same:
            self._x.min, self._x.max = float(record.edges[0]), float(record.edges[-1])
            set_ticks(self._x_axis, round_places(self._x.min, self._x.max), "{:g}".format)
        if axis != self._axis:
            self._set_axis(*axis)
        centers = (record.edges[:-1] + record.edges[1:]) / 2
        if not same or axis != self._axis or not np.array_equal(self._shown.before, record.before):  # type: ignore[union-attr]
            _set(self._before, centers, rescale(record.before.astype(np.float64)))
        _set(self._after, centers, rescale(record.after.astype(np.float64)))
        self._draw_marks(record)
        self._caption.value = _caption_text(record)
        self._shown, self._axis = record, axis

    def _set_axis(self, root: bool, high: float) -> None:
        ticks = round_ticks(high)
        if root:
            ticks = [0.0, *(high * part for part in (0.04, 0.2, 0.5, 1.0))]
        places = (np.sqrt(ticks) if root else np.asarray(ticks)).tolist()
        self._y.max = places[-1]
        texts = dict(zip(places, ticks, strict=True))
        set_ticks(self._y_axis, places, lambda place: count_text(texts[place]))
        self._y_axis.label = "count (square-root scale)" if root else "count"

    def _draw_marks(self, record: Histogram) -> None:
        at = [] if record.threshold is None else [-record.threshold, record.threshold]
        _set(self._threshold, *vertical(at, 0.0, 1.0))
        levels: Any = [] if record.levels is None else record.levels
        _set(self._levels, *vertical(levels, 0.0, 0.05))

    def close(self) -> None:
        """Release the widgets in the browser and the kernel."""
        close_all(self.widget)
        marks = [self._before, self._after, self._threshold, self._levels]
        close_all(*marks, self._x_axis, self._y_axis, self._x, self._y, self._height)


def _set(mark: Any, x: np.ndarray, y: np.ndarray) -> None:
    with mark.hold_sync():
        mark.x, mark.y = x, y


def _axis_of(record: Histogram) -> tuple[bool, float]:
    """Whether the axis grows with the root, and its largest count."""
    counts = np.concatenate([record.before, record.after])
    highest = float(max(1, counts.max(initial=1)))
    filled = counts[counts > 0]
    root = filled.size > 0 and float(np.median(filled)) < 0.15 * highest
    return bool(root), round_ticks(highest)[-1]


def _caption_text(record: Histogram) -> str:
    kept, total = int(record.after.sum()), int(record.before.sum())
    text = f"{count_text(kept)} of {count_text(total)} weights are left. "
    if record.levels is not None:
        n_levels = len(record.levels)
        return text + f"Look how the weights gather on {n_levels} shared values (ticks)."
    if record.threshold is not None:
        return text + f"Look for the gap: weights within ±{record.threshold:.3g} became zero."
    return text + "Look at how many weights lie close to zero: those can go first."
