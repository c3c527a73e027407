"""Lines over the steps of a training run: loss, accuracy, density, shared values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import bqplot
import numpy as np
from ipywidgets import HTML

from explorer.measure.curves import CentroidPaths, Curves, Line
from explorer.measure.metric import ACCURACY, Scale
from explorer.views.format import axis_label, percent_text, tick_text, value_text
from explorer.views.parts import caption, legend, swatch_key
from explorer.views.plot import (
    ACCENT,
    BEFORE,
    MARK,
    dashed_lines,
    figure,
    move,
    round_places,
    round_ticks,
    score_axis,
    set_ticks,
    vertical,
)
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


MARGIN, NARROWEST = 1.05, 0.98


class LossView(StepsPlot):
    """The loss on the batches."""

    def __init__(self) -> None:
        super().__init__("loss in nats", "{:g}".format)

    def draw(self, record: Curves) -> None:
        """Show a run's losses."""
        span = (0.0, round_ticks(MARGIN * record.highest_loss or 1.0)[-1])
        self.show(record.loss, {}, record.n_steps, span, record.stages)
        named = zip(SWATCHES, record.loss, strict=False)
        legend = [(swatch, name or "loss of a batch") for swatch, name in named]
        words = "See how the loss jumps at each stage of pruning, and how training brings it down."
        calm = "See whether the loss still falls: if so, more epochs pay off."
        self.say(_with_stages(legend, record), words if record.stages else calm)


class AccuracyView(StepsPlot):
    """Accuracy on held-out samples, and, paler, on those that are trained on."""

    def __init__(self) -> None:
        super().__init__("accuracy", lambda value: percent_text(value, 0))

    def draw(self, record: Curves) -> None:
        """Show a run's accuracies."""
        level = record.reference.accuracy if record.reference else None
        lowest = min(record.lowest_accuracy, NARROWEST)
        span = (max(0.0, math.floor(lowest * 20 - 0.2) / 20), 1.0)
        behind, scale = record.training, record.scale
        if not scale.share:
            span, behind = score_span(record), {}
        self.show(record.held_out, behind, record.n_steps, span, record.stages, level, scale)
        named = zip(SWATCHES, record.held_out, strict=False)
        legend = [(s, f"{name}, held out" if name else "held out") for s, name in named]
        if scale.share:
            legend.append(("before", "batches trained on"))
        if record.reference:
            legend.append(("mark", record.reference.name))
        self.say(_with_stages(legend, record), _words(record))


class DensityView(StepsPlot):
    """Share of the weights that are not zero, step by step."""

    def __init__(self) -> None:
        super().__init__("weights left", lambda value: percent_text(value, 0))

    def draw(self, record: Curves) -> None:
        """Show a run's schedule of density."""
        self.show(record.density, {}, record.n_steps, (0.0, 1.0), record.stages)
        line = next(iter(record.density.values()), NOTHING)
        left = percent_text(float(line.values[-1])) if len(line.values) else "All"
        self.say(
            _with_stages([("after", "weights that are not zero")], record),
            f"{left} of the weights are left. See how the stages take ever smaller bites.",
        )


def score_span(record: Curves) -> tuple[float, float]:
    """Return what the axis of a metric's values spans."""
    values = [float(value) for line in record.held_out.values() for value in line.values]
    axis = score_axis(values, record.scale, record.reference.accuracy if record.reference else None)
    return axis.low, axis.high


def _with_stages(legend: list[tuple[str, str]], record: Curves) -> list[tuple[str, str]]:
    return [*legend, ("stage", f"next {record.stage}")] if record.stages else legend


def _words(record: Curves) -> str:
    """Say what the accuracies are now, and what to look for."""
    now = [
        f"{name + ': ' if name else ''}{value_text(float(line.values[-1]), record.scale)}"
        for name, line in record.held_out.items()
        if len(line.values)
    ]
    if not now:
        return "Start a run: the network is judged before the first step and after each epoch."
    told = f"Now {', '.join(now)}"
    if record.scale.share:
        told += " on held-out samples"
    if record.reference is None:
        return f"{told}. See how far the two kinds of samples drift apart."
    level = value_text(record.reference.accuracy, record.scale)
    reference = f"{record.reference.name}: {level}"
    if all(text.endswith(level) for text in now):
        return f"{told}; {reference}: equal to the dashed line."
    return f"{told}; {reference}. Look at the gap to the dashed line."


ROOM_BELOW, STEP = 0.08, 0.05


class RunAccuracyView(StepsPlot):
    """Accuracy on held-out samples, by network.

    Losses are not drawn: those of different targets have different scales.
    """

    def __init__(self) -> None:
        super().__init__("accuracy", lambda value: percent_text(value, 0), n_lines=3)

    def draw(self, record: Curves) -> None:
        """Show a run's accuracies on held-out samples."""
        level = record.reference.accuracy if record.reference else None
        span = (_lowest(record), 1.0)
        self.show(record.held_out, {}, record.n_steps, span, record.stages, level)
        legend = list(zip(SWATCHES, record.held_out, strict=False))
        if record.reference:
            legend.append(("mark", record.reference.name))
        if record.stages:
            legend.append(("stage", f"next {record.stage}"))
        self.say(legend, _newest_words(record))


def _lowest(record: Curves) -> float:
    """Return where the axis begins: a little below the newest values."""
    newest = [_newest(line) for line in record.held_out.values() if len(line.values)]
    low = min([*newest, 0.98]) - ROOM_BELOW
    return max(0.0, math.floor(low / STEP) * STEP)


def _newest(line: Line) -> float:
    return float(line.values[-1])


def _newest_words(record: Curves) -> str:
    now = {name: _newest(line) for name, line in record.held_out.items() if len(line.values)}
    if not now:
        return "Start a run: each network is judged before its first step and after each epoch."
    told = ", ".join(f"{name} {percent_text(value)}" for name, value in now.items())
    if record.reference is None:
        return f"Now {told} on held-out samples. See how far apart the lines are."
    reference = f"{record.reference.name}: {percent_text(record.reference.accuracy)}"
    return f"Now {told}; {reference}. See which line comes nearer to the dashed one."


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
