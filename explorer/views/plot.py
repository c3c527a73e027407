"""Parts that the plotted views share: figure, colors, round ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import bqplot
import numpy as np

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
