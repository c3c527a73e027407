"""Lines over the steps of a training run: loss, accuracy, density."""

from __future__ import annotations

import math

from explorer.measure.curves import Curves
from explorer.views.format import percent_text
from explorer.views.plot import round_ticks
from explorer.views.score_axis import score_axis
from explorer.views.scores import value_text
from explorer.views.steps_plot import NOTHING, SWATCHES, StepsPlot

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
