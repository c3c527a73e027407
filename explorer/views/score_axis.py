"""The ends and ticks of an axis of accuracies or scores."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from explorer.measure.metric import Scale
from explorer.views.plot import round_places

BETTER_PART = 0.3
LARGEST = 1e200
N_TICKS = 5


@dataclass(frozen=True)
class ScoreAxis:
    """What an axis spans.

    Attributes
    ----------
    low, high : float
    ticks : list of float
    """

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
