"""What a network was judged by, as text: accuracy in percent, any other score as what it is."""

from __future__ import annotations

from collections.abc import Callable

from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import ACCURACY, Scale, Score
from explorer.views.format import MINUS, percent_text, points_text

SLIGHT_LOSS, CLEAR_LOSS = 0.005, 0.03
LONG_FORM = 1e15
EN_DASH = "\N{EN DASH}"


def number_text(value: float) -> str:
    """Return a number with four digits, more where those would make a whole number of it.

    Examples
    --------
    >>> number_text(45.3), number_text(-0.7), number_text(0.99999), number_text(123456.7)
    ('45.3', '−0.7', '0.99999', '123,457')
    """
    size = abs(value)
    if 1e4 <= size < LONG_FORM:
        text = f"{size:,.0f}"
    else:
        texts = (f"{size:.{digits}g}" for digits in (4, 5, 6, 7, 8))
        text = next((t for t in texts if float(t) % 1 or size % 1 == 0), f"{size:.4g}")
    return f"{MINUS}{text}" if value < 0 else text


def with_unit(text: str, unit: str) -> str:
    """Put a unit behind a number; a percent sign without a space."""
    if not unit:
        return text
    return f"{text}%" if unit == "%" else f"{text} {unit}"


def value_text(value: float, scale: Scale, decimals: int = 1) -> str:
    """Return a value of a scale as text: ``"97.9%"`` for accuracy, ``"45.3 nats"``."""
    if scale.share:
        return percent_text(value, decimals)
    return with_unit(number_text(value), scale.unit)


def score_text(judged: Accuracy | Score) -> str:
    """Return what a network was judged by as text."""
    return value_text(judged.value, judged.scale)


def change_words(change: float, scale: Scale) -> str:
    """Return a difference with its sign, in points for accuracy, else in the unit."""
    if scale.share:
        return points_text(change)
    sign = "+" if change > 0 else "" if change else "\N{PLUS-MINUS SIGN}"
    return with_unit(f"{sign}{number_text(change)}", scale.unit)


def tone(before: Accuracy | Score, after: Accuracy | Score) -> str:
    """Return ``"good"`` for next to no loss, ``"warn"`` for a slight one, else ``"bad"``."""
    loss = after.scale.loss(before.value, after.value)
    return "good" if loss < SLIGHT_LOSS else "warn" if loss < CLEAR_LOSS else "bad"


def interval_text(judged: Accuracy | Score) -> str:
    """Return the 95 % interval as ``"97.0–98.1%"``; "" where there is none."""
    if judged.low is None or judged.high is None or (judged.scale.share and not judged.n):
        return ""
    if judged.scale.share:
        return f"{100 * judged.low:.1f}{EN_DASH}{percent_text(judged.high)}"
    high = with_unit(number_text(judged.high), judged.unit)
    return f"{number_text(judged.low)}{EN_DASH}{high}"


def direction_words(scale: Scale) -> str:
    """Say which way is better."""
    return "higher is better" if scale.higher_is_better else "lower is better"


def axis_label(scale: Scale) -> str:
    """Return what an axis of such values is called."""
    if scale == ACCURACY:
        return "top-1 accuracy"
    return f"{scale.name} ({scale.unit})" if scale.unit else scale.name


def tick_text(scale: Scale) -> Callable[[float], str]:
    """Return how ticks of an axis of such values read."""
    if scale.share:
        return lambda value: percent_text(value, 0)
    return lambda value: number_text(float(f"{value:.12g}"))
