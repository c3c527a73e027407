"""A plot over steps: lines, paler ones behind them, and stages dashed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import bqplot
import numpy as np
from ipywidgets import HTML

from explorer.measure.curves import Line
from explorer.measure.metric import ACCURACY, Scale
from explorer.views.caption import caption
from explorer.views.legend import legend, swatch_key
from explorer.views.marks import move
from explorer.views.plot import (
    ACCENT,
    BEFORE,
    MARK,
    dashed_lines,
    figure,
    round_places,
    set_ticks,
    vertical,
)
from explorer.views.scores import axis_label, tick_text
from explorer.widgets import View, show

INK = "var(--ex-ink)"
LOOKS = ((ACCENT, "solid"), (MARK, "dash_dotted"), (INK, "dotted"))
SWATCHES = ("after", "line-mark", "line-ink")
UNKNOWN_STEPS = 100
NOTHING = Line(np.zeros(0, dtype=np.int64), np.zeros(0))


class StepsPlot(View):
    """A figure over steps, with up to three lines, paler ones behind them, and stages dashed."""

    def __init__(
        self, label: str, text: Callable[[float], str], n_lines: int = 2, axis: str = "step"
    ) -> None:
        self._text = self._own_text = text
        self._scale, self._own_label = ACCURACY, label
        self._x, self._y = bqplot.LinearScale(min=0.0, max=0.0), bqplot.LinearScale(min=0, max=0)
        self._height = bqplot.LinearScale(min=0.0, max=1.0)
        self._x_axis = bqplot.Axis(
            scale=self._x, label=axis, label_offset="34px", grid_lines="none"
        )
        self._y_axis = bqplot.Axis(scale=self._y, side="left", label=label, label_offset="56px")
        self._behind = [self._line(BEFORE, 1.5) for _ in range(n_lines)]
        self._front = [self._line(color, 2.0, style) for color, style in LOOKS[:n_lines]]
        self._stages = dashed_lines(self._x, self._height)
        self._stages.stroke_width, self._stages.colors = 1.0, [BEFORE]
        self._level = dashed_lines(self._x, self._y)
        self._marks = [self._stages, *self._behind, self._level, *self._front]
        self._figure = figure(self._marks, [self._x_axis, self._y_axis])
        self._legend, self._caption = HTML(), caption()
        super().__init__([self._figure, self._legend, self._caption])

    def _line(self, color: str, width: float, style: str = "solid") -> bqplot.Lines:
        return bqplot.Lines(
            x=np.zeros(0),
            y=np.zeros(0),
            scales={"x": self._x, "y": self._y},
            colors=[color],
            stroke_width=width,
            line_style=style,
        )

    def show(
        self,
        front: Mapping[str, Line],
        behind: Mapping[str, Line],
        n_steps: int,
        span: tuple[float, float],
        stages: tuple[int, ...] = (),
        level: float | None = None,
        scale: Scale = ACCURACY,
    ) -> None:
        """Show lines."""
        self._read_as(scale)
        self._fit(float(n_steps or UNKNOWN_STEPS), span)
        for marks, lines in ((self._front, front), (self._behind, behind)):
            found = [*lines.values(), *[NOTHING] * len(marks)]
            for mark, line in zip(marks, found, strict=False):
                move(mark, line.steps, line.values)
        move(self._stages, *vertical(stages, 0.0, 1.0))
        across = [] if level is None else [level, level]
        move(self._level, [0.0, self._x.max][: len(across)], across)

    def say(self, keys: list[tuple[str, str]], words: str = "") -> None:
        """Show a legend, of swatches and names, and a caption, if there are words for one."""
        self._legend.value = legend(swatch_key(*key) for key in keys)
        self._caption.value = words
        show(self._caption, bool(words))

    def _read_as(self, scale: Scale) -> None:
        """Let the axis on the left tell of values of a scale."""
        if scale != self._scale:
            self._scale = scale
            self._text = self._own_text if scale.share else tick_text(scale)
            self._y_axis.label = self._own_label if scale.share else axis_label(scale)

    def _fit(self, n_steps: float, span: tuple[float, float]) -> None:
        if n_steps != self._x.max:
            self._x.max = n_steps
            set_ticks(self._x_axis, round_places(0.0, n_steps, 5), "{:,.0f}".format)
        if span != (self._y.min, self._y.max):
            with self._y.hold_sync():
                self._y.min, self._y.max = span
            set_ticks(self._y_axis, round_places(*span, 5), self._text)
