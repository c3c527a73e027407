"""Accuracy over one dial, a line for each layer: which layers bear compression, and which not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import bqplot
from ipywidgets import HTML

from explorer.measure.metric import ACCURACY, Scale
from explorer.sweep.dials import DIALS, LayerDial
from explorer.views.format import axis_label, percent_text, tick_text
from explorer.views.parts import caption, legend, swatch_key
from explorer.views.plot import (
    ACCENT,
    BEFORE,
    MARK,
    dashed_lines,
    dots,
    figure,
    marked_line,
    move,
    score_axis,
    series,
    span,
    vertical,
)
from explorer.widgets import View

MOST_COLORED = 10
THIN, THICK = 1.2, 3.2
UPPER_POINTS = 0.3
LEAST = 1e-3
SHARES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class SensitivityPlot:
    """What there is to see.

    `layers`: all of them, in the network's order. `accuracies`: top-1 accuracy by value, ascending,
    by layer, as far as it is measured. `layer`: the chosen one. `here`: where its dial stands under
    the present recipe. `original`: accuracy of the network as it is. `upper`: whether only the
    upper part of the accuracies is shown. `note`: on the samples. `scale`: what the values mean.
    """

    dial: str
    layers: Sequence[str]
    accuracies: Mapping[str, Mapping[float, float]] = field(default_factory=dict)
    layer: str = ""
    here: float | None = None
    original: float | None = None
    upper: bool = False
    note: str = ""
    scale: Scale = ACCURACY


class SensitivityView(View):
    """A line for each layer, the chosen one thick; lines and points can be clicked."""

    def __init__(self, chosen: Callable[[str], None], turned: Callable[[str, float], None]) -> None:
        self._chosen, self._turned = chosen, turned
        self._layers: tuple[str, ...] = ()
        self._places: list[tuple[str, float]] = []
        self._x, self._y = bqplot.LinearScale(min=0.0, max=1.0), bqplot.LinearScale(min=0, max=1)
        self._height = bqplot.LinearScale(min=0.0, max=1.0)
        self._x_axis = bqplot.Axis(scale=self._x, label_offset="34px", grid_lines="none")
        self._y_axis = bqplot.Axis(
            scale=self._y, side="left", label="top-1 accuracy", label_offset="56px"
        )
        self._lines: list[bqplot.Lines] = []
        self._here = dashed_lines(self._x, self._height)
        self._original = dashed_lines(self._x, self._y)
        self._original.colors, self._original.stroke_width = [BEFORE], 1.0
        self._dots = dots(self._x, self._y, MARK, "circle", 90)
        self._dots.fill, self._dots.stroke_width = False, 1.0
        self._dots.on_element_click(lambda _mark, event: self._point_clicked(event))
        self._figure = figure([], [self._x_axis, self._y_axis])
        self._figure.layout.height = "300px"
        self._legend, self._caption = HTML(), caption()
        super().__init__([self._figure, self._legend, self._caption])

    def draw(self, record: SensitivityPlot) -> None:
        """Show a record."""
        self._make(tuple(record.layers))
        dial = DIALS[record.dial]
        self._fit(record, dial)
        for name, line in zip(self._layers, self._lines, strict=True):
            own = record.accuracies.get(name, {})
            move(line, [place_of(dial, value) for value in own], list(own.values()))
        self._draw_chosen(record, dial)
        if record.original is not None:
            move(self._original, [self._x.min, self._x.max], [record.original] * 2)
        self._say(record)

    @property
    def _colored(self) -> bool:
        return len(self._layers) <= MOST_COLORED

    def _make(self, layers: tuple[str, ...]) -> None:
        """Make a line for each layer of another network."""
        if layers == self._layers:
            return
        for line in self._lines:
            line.close()
        self._layers = layers
        self._lines = [self._line(i, name) for i, name in enumerate(layers)]
        self._figure.marks = [self._original, *self._lines, self._here, self._dots]

    def _line(self, index: int, name: str) -> bqplot.Lines:
        look = series(index)
        color = look.color if self._colored else BEFORE
        line = marked_line(self._x, self._y, color, look.marker)
        if not self._colored:
            line.marker = None
        line.on_element_click(lambda _mark, _event: self._chosen(name))
        return line

    def _draw_chosen(self, record: SensitivityPlot, dial: LayerDial) -> None:
        """Emphasize the chosen layer's line, and show its points and where its dial stands."""
        for i, (name, line) in enumerate(zip(self._layers, self._lines, strict=True)):
            width = THICK if name == record.layer else THIN
            color = series(i).color if self._colored else ACCENT if name == record.layer else BEFORE
            if line.stroke_width != width or line.colors != [color]:
                with line.hold_sync():
                    line.stroke_width, line.colors = width, [color]
        own = record.accuracies.get(record.layer, {})
        self._places = [(record.layer, value) for value in own]
        move(self._dots, [place_of(dial, value) for value in own], list(own.values()))
        shown = [] if record.here is None else [place_of(dial, record.here)]
        move(self._here, *vertical(shown, 0.0, 1.0))

    def _point_clicked(self, event: dict[str, Any]) -> None:
        index = event.get("data", {}).get("index")
        if isinstance(index, int) and 0 <= index < len(self._places):
            self._turned(*self._places[index])

    def _fit(self, record: SensitivityPlot, dial: LayerDial) -> None:
        values = {*dial.values, *(v for own in record.accuracies.values() for v in own)}
        places = sorted(place_of(dial, value) for value in values)
        marked = dial.values if dial.whole else SHARES
        texts = {place_of(dial, value): value for value in marked}
        ticks = [place for place in texts if places[0] <= place <= places[-1]]
        span(
            self._x,
            self._x_axis,
            (places[0], places[-1]),
            ticks,
            lambda place: value_text(dial, texts[place]),
        )
        self._x_axis.label = dial.label + ("" if dial.name == "bits" else " (logarithmic)")
        known = [found for own in record.accuracies.values() for found in own.values()]
        if record.scale.share and record.upper:
            known = [record.original or 1.0]
        points = UPPER_POINTS if record.upper else None
        axis = score_axis(known, record.scale, record.original, points)
        span(self._y, self._y_axis, (axis.low, axis.high), axis.ticks, tick_text(record.scale))
        self._y_axis.label = axis_label(record.scale)

    def _say(self, record: SensitivityPlot) -> None:
        keys = [_key(i, name, name == record.layer) for i, name in enumerate(self._layers)]
        if not self._colored:
            keys = [f"<span><b>{escape(record.layer)}</b></span><span>other layers, gray</span>"]
        self._legend.value = legend([*keys, swatch_key("mark", "your recipe")])
        self._caption.value = _words(record)


def place_of(dial: LayerDial, value: float) -> float:
    """Where a value stands on the axis: its logarithm to base 2, but for bits."""
    return float(value) if dial.name == "bits" else math.log2(max(value, LEAST))


def value_text(dial: LayerDial, value: float) -> str:
    """Say a value: ``"30%"`` for a share, a whole number else."""
    return f"{value:g}" if dial.whole else percent_text(value, 0)


def _key(index: int, name: str, chosen: bool) -> str:
    shown = name or "(the layer)"
    key = series(index).key(shown)
    return f"<b>{key}</b>" if chosen else key


def _words(record: SensitivityPlot) -> str:
    if not any(record.accuracies.values()):
        return "Press Measure to compress one layer at a time, the others left alone."
    look = "See which layers fall first: they should keep more than the others."
    how = "Click a line to choose its layer, and a point to set its dial there."
    return f"{look} {how} {record.note}".strip()
