"""Accuracy of up to three networks in training, close up where they end."""

from __future__ import annotations

import math

from explorer.measure.curves import Curves, Line
from explorer.views.curves import SWATCHES, StepsPlot
from explorer.views.format import percent_text

MARGIN, STEP = 0.08, 0.05


class LanesView(StepsPlot):
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
        self.say(legend, _words(record))


def _lowest(record: Curves) -> float:
    """Return where the axis begins: a little below the newest values."""
    newest = [_newest(line) for line in record.held_out.values() if len(line.values)]
    low = min([*newest, 0.98]) - MARGIN
    return max(0.0, math.floor(low / STEP) * STEP)


def _newest(line: Line) -> float:
    return float(line.values[-1])


def _words(record: Curves) -> str:
    now = {name: _newest(line) for name, line in record.held_out.items() if len(line.values)}
    if not now:
        return "Start a run: each network is judged before its first step and after each epoch."
    told = ", ".join(f"{name} {percent_text(value)}" for name, value in now.items())
    if record.reference is None:
        return f"Now {told} on held-out samples. See how far apart the lines are."
    reference = f"{record.reference.name}: {percent_text(record.reference.accuracy)}"
    return f"Now {told}; {reference}. See which line comes nearer to the dashed one."
