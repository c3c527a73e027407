"""The points that no other beats, in bytes and accuracy together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeVar

from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Score
from explorer.sweep.points import Point

T = TypeVar("T")
Metric = Literal["top1", "top5"]
METRICS = ("top1", "top5")


def frontier(points: Iterable[T], metric: Metric = "top1") -> list[T]:
    """Return the points that no other point dominates, smallest compression ratio first.

    One point dominates another if it is as good in compression ratio and in accuracy, or the
    score of a metric, and better in one of them. Of points that are equal in both, all stay.

    Parameters
    ----------
    points : iterable of Point, CurvePoint or SensitivityPoint
        Those without accuracy are left out.
    metric : {"top1", "top5"}

    Returns
    -------
    list
        Some of the objects of `points`.

    Raises
    ------
    ValueError
        If `metric` is neither.
    TypeError
        If an object is no point.
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be 'top1' or 'top5'; got {metric!r}")
    placed = [(*place, item) for item in points if (place := _place(item, metric)) is not None]
    placed.sort(key=lambda entry: (-entry[0], -entry[1]))
    found: list[T] = []
    best, its_ratio = float("-inf"), float("nan")
    for ratio, accuracy, item in placed:
        if accuracy > best or (accuracy == best and ratio == its_ratio):
            found.append(item)
            best, its_ratio = accuracy, ratio
    return found[::-1]


def _place(item: Any, metric: str) -> tuple[float, float] | None:
    """Return compression ratio and goodness; None where they are not known."""
    point = getattr(item, "point", item)
    if not isinstance(point, Point):
        raise TypeError(
            f"points must be what sweep, method_curves or sensitivity yield; got "
            f"{type(item).__name__}"
        )
    if point.accuracy is None or not point.size_bytes:
        return None
    return point.compression_ratio, point.accuracy.scale.goodness(reading(point.accuracy, metric))


def reading(judged: Accuracy | Score | None, metric: str) -> float:
    """Return top-1 or top-5 accuracy; of a score its value; NaN for None."""
    if judged is None:
        return float("nan")
    return judged.top5 if isinstance(judged, Accuracy) and metric == "top5" else judged.value
