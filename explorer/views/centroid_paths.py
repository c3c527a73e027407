"""Where the shared values of a layer moved while training."""

from __future__ import annotations

import bqplot
import numpy as np

from explorer.measure.curves import CentroidPaths
from explorer.views.caption import caption
from explorer.views.plot import ACCENT, figure, round_places, set_ticks
from explorer.widgets import View

DRAWN = 64


class CentroidPathsView(View):
    """A line for each shared value, over the steps; at most 64, evenly chosen."""

    def __init__(self) -> None:
        self._x, self._y = bqplot.LinearScale(min=0.0, max=1.0), bqplot.LinearScale(min=-1, max=1)
        self._lines = bqplot.Lines(
            x=np.zeros(0),
            y=np.zeros(0),
            scales={"x": self._x, "y": self._y},
            colors=[ACCENT],
            stroke_width=1.5,
        )
        self._x_axis = bqplot.Axis(
            scale=self._x, label="step", label_offset="34px", grid_lines="none"
        )
        self._y_axis = bqplot.Axis(
            scale=self._y, side="left", label="shared value", label_offset="56px"
        )
        self._figure = figure([self._lines], [self._x_axis, self._y_axis])
        self._caption = caption()
        super().__init__([self._figure, self._caption])

    def draw(self, record: CentroidPaths) -> None:
        """Show how shared values moved."""
        k = record.values.shape[1]
        lines = record.drawn(DRAWN).T
        self._fit(record)
        with self._lines.hold_sync():
            self._lines.x, self._lines.y = record.steps.astype(np.float64), lines
        some = f" ({len(lines)} of them drawn)" if len(lines) < k else ""
        self._caption.value = (
            f"{k} shared values{some} moved by {record.mean_move:.3g} on average, "
            f"{record.largest_move:.3g} at most. See which ones move: each follows the summed "
            "gradient of its weights."
        )

    def _fit(self, record: CentroidPaths) -> None:
        n_steps = float(max(1, record.n_steps))
        if n_steps != self._x.max:
            self._x.max = n_steps
            set_ticks(self._x_axis, round_places(0.0, n_steps, 5), "{:,.0f}".format)
        low, high = float(record.values.min()), float(record.values.max())
        room = 0.1 * (high - low) or abs(low) or 1.0
        fits = self._y.min <= low and high <= self._y.max
        if not fits or self._y.max - self._y.min > 2 * (high - low + 2 * room):
            with self._y.hold_sync():
                self._y.min, self._y.max = low - room, high + room
            set_ticks(self._y_axis, round_places(low - room, high + room), "{:g}".format)
