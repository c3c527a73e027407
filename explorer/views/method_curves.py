"""Accuracy over compression ratio: every method's curve, the frontier, and the present recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import bqplot
import numpy as np
from ipywidgets import HTML

from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import ACCURACY, Scale
from explorer.sweep.curves import CurvePoint, frontier, reading
from explorer.sweep.curves import TopK as Metric
from explorer.sweep.methods import METHODS
from explorer.views.format import (
    axis_label,
    percent_text,
    ratio_text,
    score_text,
    size_text,
    tick_text,
)
from explorer.views.parts import caption, glyph_key, legend
from explorer.views.plot import (
    MARK,
    ScoreAxis,
    dots,
    figure,
    marked_line,
    move,
    score_axis,
    series,
    span,
)
from explorer.views.tables import Table
from explorer.widgets import View

INK = "var(--ex-ink)"
RATIOS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
MOST_TICKS = 7
UPPER_POINTS = 0.2
HEADS = ("Method", "Setting", "Ratio", "File", "Top-1", "Top-5")
RETRAINED = ", retrained"


@dataclass(frozen=True)
class MethodPlot:
    """What there is to see.

    `metric`: one of "top1", "top5". `original`: that accuracy of the network as it is. `retrained`:
    whether retrained points are shown too. `upper`: whether only the upper part of the accuracies
    is. `note`: on the samples. `scale`: what the values mean.
    """

    points: Sequence[CurvePoint] = ()
    metric: Metric = "top1"
    original: float | None = None
    retrained: bool = True
    upper: bool = True
    note: str = ""
    scale: Scale = ACCURACY


class MethodCurvesView(View):
    """A line for each method, rings around the points that no other beats, and a table of these."""

    def __init__(self, chosen: Callable[[CurvePoint], None]) -> None:
        self.best: list[CurvePoint] = []
        self._record: MethodPlot | None = None
        self._x, self._y = bqplot.LogScale(min=1.0, max=100.0), bqplot.LinearScale(min=0, max=1)
        self._x_axis = bqplot.Axis(
            scale=self._x,
            label="compression ratio of the file (logarithmic)",
            label_offset="34px",
            grid_lines="none",
        )
        self._y_axis = bqplot.Axis(scale=self._y, side="left", label_offset="56px")
        self._looks = {name: series(i) for i, name in enumerate(METHODS)}
        self._lines = {
            (name, again): self._line(name, again) for name in METHODS for again in (False, True)
        }
        self._rings = dots(self._x, self._y, INK, "circle", 190)
        self._rings.fill, self._rings.stroke_width = False, 1.5
        self._rings.on_element_click(lambda _mark, event: self._clicked(event, chosen))
        self._here = dots(self._x, self._y, MARK, "cross", 260)
        marks = [*self._lines.values(), self._rings, self._here]
        self._figure = figure(marks, [self._x_axis, self._y_axis])
        self._figure.layout.height = "380px"
        self._legend, self._caption = HTML(), caption()
        self.table = Table("Points that no other beats: method, setting, size and accuracy")
        super().__init__([self._figure, self._legend, self._caption])

    def _line(self, name: str, again: bool) -> bqplot.Lines:
        look = self._looks[name]
        line = marked_line(self._x, self._y, look.color, look.marker)
        line.line_style = "dashed" if again else "solid"
        if METHODS[name].setting == "scale":
            line.stroke_width = 0.0
        return line

    def draw(self, record: MethodPlot) -> None:
        """Show a record."""
        self._record = record
        shown = _shown(record)
        self._fit(record, shown)
        for (name, again), line in self._lines.items():
            own = [p for p in shown if p.method == name and p.retrained is again]
            move(line, *_places(sorted(own, key=_ratio), record.metric))
        self.best = frontier(shown, record.metric)
        move(self._rings, *_places(self.best, record.metric))
        self.table.show(_heads(record.scale), [_cells(p) for p in self.best])
        self._say(record, shown)

    def move(self, ratio: float, accuracy: float | None) -> None:
        """Move the mark of the present recipe; without accuracy it is not shown."""
        known = [] if accuracy is None else [accuracy]
        move(self._here, [ratio][: len(known)], known)
        if self._record is not None:
            self._fit(self._record, _shown(self._record))

    def _clicked(self, event: dict, chosen: Callable[[CurvePoint], None]) -> None:
        index = event.get("data", {}).get("index")
        if isinstance(index, int) and 0 <= index < len(self.best):
            chosen(self.best[index])

    def _fit(self, record: MethodPlot, shown: Sequence[CurvePoint]) -> None:
        """Let the axes span what is shown."""
        across, up = _places(shown, record.metric)
        axis = score_axis(
            up.tolist(), record.scale, record.original, UPPER_POINTS if record.upper else None
        )
        seen = np.append(across[_within(up, axis)], self._here.x[_within(self._here.y, axis)])
        low, high = float(seen.min(initial=1.0)), float(seen.max(initial=20.0))
        ends = (
            max(value for value in RATIOS if value <= max(low, RATIOS[0])),
            min((value for value in RATIOS if value >= high), default=high),
        )
        ticks = [float(value) for value in RATIOS if ends[0] <= value <= ends[1]]
        if len(ticks) > MOST_TICKS:
            ticks = [value for value in ticks if f"{value:g}".strip("0.") == "1"]
        span(self._x, self._x_axis, (float(ends[0]), float(ends[1])), ticks, "{:g}×".format)
        span(self._y, self._y_axis, (axis.low, axis.high), axis.ticks, tick_text(record.scale))
        label = axis_label(record.scale)
        self._y_axis.label = label if record.metric == "top1" else label.replace("1", "5", 1)

    def _say(self, record: MethodPlot, shown: Sequence[CurvePoint]) -> None:
        names = [name for name in METHODS if any(p.method == name for p in shown)]
        keys = [self._looks[name].key(METHODS[name].title) for name in names]
        if any(p.retrained for p in shown):
            keys.append(glyph_key("\N{EN DASH} \N{EN DASH}", "briefly retrained"))
        keys.append(glyph_key("\N{WHITE CIRCLE}", "no other point beats it"))
        keys.append(glyph_key("\N{HEAVY GREEK CROSS}", "your recipe", "ex-here"))
        self._legend.value = legend(keys)
        self._caption.value = _words(record, shown)


def _shown(record: MethodPlot) -> list[CurvePoint]:
    return [p for p in record.points if record.retrained or not p.retrained]


def title_of(point: CurvePoint) -> str:
    """Return the method of a point in words."""
    return METHODS[point.method].title + (RETRAINED if point.retrained else "")


def setting_of(point: CurvePoint) -> str:
    """Return the setting of a point in words, such as ``"density 12%"``."""
    kind, value = METHODS[point.method].setting, point.value
    if kind == "rank":
        return f"{percent_text(value, 0)} of the break-even rank"
    return f"{kind} {percent_text(value, 0) if kind == 'density' else value}"


def _ratio(point: CurvePoint) -> float:
    return point.point.compression_ratio


def _places(points: Sequence[CurvePoint], metric: Metric) -> tuple[np.ndarray, np.ndarray]:
    judged = [p.point for p in points if p.point.accuracy is not None and p.point.size_bytes]
    return (
        np.array([point.compression_ratio for point in judged], dtype=np.float64),
        np.array([reading(point.accuracy, metric) for point in judged], dtype=np.float64),
    )


def _within(values: np.ndarray, axis: ScoreAxis) -> np.ndarray:
    return (values >= axis.low) & (values <= axis.high)


def _heads(scale: Scale) -> list[tuple[str, str]]:
    names = HEADS if scale.share else (*HEADS[:-2], scale.name)
    return [(name, "") for name in names]


def _cells(point: CurvePoint) -> list[str]:
    accuracy = point.point.accuracy
    return [
        title_of(point),
        setting_of(point),
        ratio_text(point.point.compression_ratio),
        size_text(point.point.size_bytes),
        score_text(accuracy) if accuracy else "",
        *([percent_text(accuracy.top5)] if isinstance(accuracy, Accuracy) else []),
    ]


def _words(record: MethodPlot, shown: Sequence[CurvePoint]) -> str:
    if not shown:
        return "Press Measure to try every method over its settings; points appear as they finish."
    failed = sum(1 for p in shown if p.point.error_message)
    lost = f" {failed} points could not be measured." if failed else ""
    look = (
        "See which curve stays up longest to the right, and how pruning and sharing together go "
        "further than either alone."
    )
    again = any(p.retrained for p in shown)
    alone = " The recipe of a retrained point is taken without its training." if again else ""
    return f"{look}{lost}{alone} {record.note}".strip()
