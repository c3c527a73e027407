"""Figures, axes, marks and series of plots."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import bqplot
import numpy as np

from explorer.measure.metric import Scale
from explorer.views.format import count_text
from explorer.views.parts import glyph_key

ACCENT = "var(--ex-accent)"
BEFORE = "var(--ex-before)"
MARK = "var(--ex-mark)"


def figure(marks: list[Any], axes: list[Any], top: int = 12) -> bqplot.Figure:
    """Make a figure that fills its card's width and redraws without animation."""
    return bqplot.Figure(
        marks=marks,
        axes=axes,
        animation_duration=0,
        padding_x=0,
        padding_y=0,
        display_toolbar=False,
        fig_margin={"top": top, "bottom": 46, "left": 68, "right": 14},
        layout={"width": "100%", "height": "250px", "min_width": "0"},
        background_style={"fill": "transparent"},
    )


def count_axis(scale: bqplot.Scale, label: str) -> bqplot.Axis:
    """Make the axis on the left, its label clear of long tick labels."""
    return bqplot.Axis(scale=scale, side="left", label=label, label_offset="56px")


def dashed_lines(x: bqplot.Scale, y: bqplot.Scale) -> bqplot.Lines:
    """Make a mark for vertical dashed lines; fill it with `vertical`."""
    return bqplot.Lines(
        x=np.zeros(0),
        y=np.zeros(0),
        scales={"x": x, "y": y},
        colors=[MARK],
        line_style="dashed",
        stroke_width=1.5,
    )


def vertical(positions: Any, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Path of separate vertical segments."""
    x = np.repeat(np.asarray(positions, dtype=np.float64), 3)
    y = np.tile([np.nan, low, high], x.size // 3)
    return x, y


def round_ticks(high: float, n_ticks: int = 4) -> list[float]:
    """Evenly spaced round numbers from 0 on; the last is the first at or above `high`."""
    raw = high / n_ticks
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw * (1 - 1e-9))
    return [i * step for i in range(math.ceil(high / step - 1e-9) + 1)]


def round_places(low: float, high: float, n_ticks: int = 6) -> list[float]:
    """Evenly spaced round numbers between `low` and `high`, zero among them where it lies there."""
    step = round_ticks(high - low, n_ticks)[1]
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) if abs(step) > 1e-9 else i * step for i in range(first, last + 1)]


def set_ticks(axis: bqplot.Axis, values: Sequence[float], text: Callable[[float], str]) -> None:
    """Move an axis's ticks; labels go ahead in a message of their own, or the old ones stay."""
    axis.tick_labels = {tick_key(value): text(value) for value in values}
    axis.tick_values = list(values)


def tick_key(value: float) -> str:
    """Key of a tick in ``Axis.tick_labels``: the number as JavaScript prints it."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


POINT_AREA = 42


def marked_line(x: bqplot.Scale, y: bqplot.Scale, color: str, marker: str) -> bqplot.Lines:
    """Make a line with a marker at each point; fill it with `move`."""
    return bqplot.Lines(
        x=np.zeros(0),
        y=np.zeros(0),
        scales={"x": x, "y": y},
        colors=[color],
        marker=marker,
        marker_size=POINT_AREA,
        stroke_width=1.8,
    )


def dots(x: bqplot.Scale, y: bqplot.Scale, color: str, marker: str, area: int) -> bqplot.Scatter:
    """Make a mark for single points; fill it with `move`."""
    return bqplot.Scatter(
        x=np.zeros(0),
        y=np.zeros(0),
        scales={"x": x, "y": y},
        colors=[color],
        marker=marker,
        default_size=area,
        display_names=False,
    )


def move(mark: Any, x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> None:
    """Move a mark's points, unless they are there already."""
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if np.array_equal(mark.x, xs, equal_nan=True) and np.array_equal(mark.y, ys, equal_nan=True):
        return
    with mark.hold_sync():
        mark.x, mark.y = xs, ys


def span(
    scale: bqplot.Scale,
    axis: bqplot.Axis,
    ends: tuple[float, float],
    ticks: Sequence[float],
    text: Callable[[float], str],
) -> None:
    """Let an axis span from one end to the other, with ticks, unless it does already."""
    if (scale.min, scale.max) != ends or not np.array_equal(axis.tick_values, ticks):
        with scale.hold_sync():
            scale.min, scale.max = ends
        set_ticks(axis, ticks, text)


N_COLORS = 8
MARKERS = (
    ("circle", "\N{BLACK CIRCLE}"),
    ("square", "\N{BLACK SQUARE}"),
    ("diamond", "\N{BLACK DIAMOND}"),
    ("triangle-up", "\N{BLACK UP-POINTING TRIANGLE}"),
    ("triangle-down", "\N{BLACK DOWN-POINTING TRIANGLE}"),
    ("cross", "\N{HEAVY GREEK CROSS}"),
    ("rectangle", "\N{BLACK RECTANGLE}"),
    ("arrow", "\N{BLACK RIGHT-POINTING POINTER}"),
)


@dataclass(frozen=True)
class Series:
    """How one line looks.

    `number`: of its color, from 1 to 8. `marker`, `glyph`: bqplot's name of its marker, and a
    character like it.
    """

    number: int
    marker: str
    glyph: str

    @property
    def color(self) -> str:
        """CSS color."""
        return f"var(--ex-series-{self.number})"

    def key(self, name: str) -> str:
        """Markup of the legend's entry."""
        return glyph_key(self.glyph, name, f"ex-series-{self.number}")


def series(index: int) -> Series:
    """Return the look of a line, different for the first 64."""
    turn = index // N_COLORS
    marker, glyph = MARKERS[(index + 3 * turn) % len(MARKERS)]
    return Series(index % N_COLORS + 1, marker, glyph)


class CountAxis:
    """A scale and an axis for counts, which say how they grow."""

    def __init__(self) -> None:
        self.scale = bqplot.LinearScale(min=0.0, max=1.0)
        self.axis = count_axis(self.scale, "count")
        self._shown: tuple[bool, float] | None = None

    @property
    def root(self) -> bool:
        """Whether the axis grows with the square root."""
        return self._shown is not None and self._shown[0]

    def fit(self, counts: np.ndarray) -> bool:
        """Choose growth and end for counts of any shape; return whether the axis changed."""
        highest = float(max(1, counts.max(initial=1)))
        filled = counts[counts > 0]
        root = filled.size > 0 and float(np.median(filled)) < 0.15 * highest
        wanted = bool(root), round_ticks(highest)[-1]
        if wanted == self._shown:
            return False
        self._shown = wanted
        self._show(*wanted)
        return True

    def places(self, counts: np.ndarray) -> np.ndarray:
        """Where counts lie on the scale."""
        values = counts.astype(np.float64)
        return np.sqrt(values) if self.root else values

    def _show(self, root: bool, high: float) -> None:
        ticks = round_ticks(high)
        if root:
            ticks = [0.0, *(high * part for part in (0.04, 0.2, 0.5, 1.0))]
        places = (np.sqrt(ticks) if root else np.asarray(ticks)).tolist()
        self.scale.max = places[-1]
        texts = dict(zip(places, ticks, strict=True))
        set_ticks(self.axis, places, lambda place: count_text(texts[place]))
        self.axis.label = "count (square-root scale)" if root else "count"


BETTER_PART = 0.3
LARGEST = 1e200
N_TICKS = 5


@dataclass(frozen=True)
class ScoreAxis:
    """What an axis spans."""

    low: float
    high: float
    ticks: list[float]


def score_axis(
    values: Iterable[float], scale: Scale, original: float | None, upper: float | None = None
) -> ScoreAxis:
    """Choose what an axis spans: all of percent for accuracy, else what the values span."""
    known = [min(max(value, -LARGEST), LARGEST) for value in values]
    known += [] if original is None else [min(max(original, -LARGEST), LARGEST)]
    if scale.share:
        best = max(known, default=1.0)
        low = max(0.0, math.floor(20 * (best - upper)) / 20) if upper else 0.0
        return ScoreAxis(low, 1.0, round_places(low, 1.0, N_TICKS))
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if upper:
        part = BETTER_PART * max(abs(original if original is not None else high), 1e-12)
        low, high = (
            (max(low, high - part), high)
            if scale.higher_is_better
            else (low, min(high, low + part))
        )
    return _rounded(low, high)


def _rounded(low: float, high: float) -> ScoreAxis:
    """Widen a span a little, so that no mark lies on its end, and to more than a point."""
    least = max(abs(low), abs(high)) * 1e-3 or 1.0
    room = max(0.05 * (high - low), least)
    low, high = low - room, high + room
    ticks = [tick for tick in round_places(low, high, N_TICKS) if low <= tick <= high]
    return ScoreAxis(low, high, ticks or [(low + high) / 2])
