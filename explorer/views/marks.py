"""Marks of plots that are moved in place, in one message, and only where they changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import bqplot
import numpy as np

from explorer.views.plot import set_ticks

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
