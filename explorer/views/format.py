"""Numbers, changes and scores as text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import ACCURACY, Scale, Score

MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
DASH = "\N{EM DASH}"
MOST_DECIMALS = 4
SLIGHTEST = 1e-6  # parts below this are told as counts or odds
SLIGHT = 0.001  # changes below this part of the whole are told in the amount's own unit


def size_text(n_bytes: float) -> str:
    """Bytes in B, KB (1000 bytes) or, from 10 MB on, MB and GB."""
    if n_bytes < 1e3:
        return f"{n_bytes:.0f} B"
    if n_bytes < 1e7:
        return f"{n_bytes / 1e3:,.1f} KB"
    if n_bytes < 1e9:
        return f"{n_bytes / 1e6:,.1f} MB"
    return f"{n_bytes / 1e9:,.2f} GB"


def ratio_text(ratio: float) -> str:
    """Ratio with the multiplication sign: ``"12.3×"``, and ``"123×"`` from 100 on."""
    if not math.isfinite(ratio):
        return DASH
    return f"{ratio:,.0f}{TIMES}" if ratio >= 99.95 else f"{ratio:.1f}{TIMES}"


def change_text(
    before: float,
    after: float,
    unit: Callable[[float], str],
    ways: tuple[str, str] = ("smaller", "larger"),
) -> str:
    """How an amount changed: as a ratio, below a tenth in percent, next to nothing in its unit.

    ``"2.0× smaller"``, ``"4.0% larger"``, ``"8 B larger"``, ``"unchanged"``.
    """
    if after == before:
        return "unchanged"
    if not before or not after:
        return "nothing left" if before else DASH
    way = ways[0] if after < before else ways[1]
    change = abs(before - after)
    if change < SLIGHT * before:
        return f"{unit(change)} {way}"
    if change < 0.1 * before:
        return f"{percent_text(change / before)} {way}"
    return f"{ratio_text(max(before, after) / min(before, after))} {way}"


def percent_text(fraction: float, decimals: int = 1) -> str:
    """Fraction in [0, 1] as percent: ``"97.9%"``.

    A fraction close to, but not at, 0 or 1 is never rounded onto it: 0.9999 reads
    ``"99.99%"``, and one weight in two million ``"<0.0001%"``.
    """
    text = f"{100 * fraction:.{decimals}f}"
    if float(text) not in (0.0, 100.0) or fraction in (0.0, 1.0):
        return f"{text}%"
    if decimals < MOST_DECIMALS:
        return percent_text(fraction, decimals + 1)
    return "<0.0001%" if fraction < 0.5 else ">99.9999%"


def probability_text(probability: float) -> str:
    """Probability as percent; close to 0 or 1 as odds: ``"1 in 3.2 M"``, ``"all but 1 in 3.2 M"``.

    From one in a million on; ``"0%"`` where no number tells it from 0.
    """
    rest = min(probability, 1 - probability)
    if rest >= SLIGHTEST or rest <= 0:
        return percent_text(probability)
    odds = f"1 in 10^{-math.log10(rest):.0f}" if rest < 1e-18 else f"1 in {count_text(1 / rest)}"
    return odds if probability < 0.5 else f"all but {odds}"


def points_text(change: float) -> str:
    """Difference of two fractions in percentage points, with its sign: ``"−0.4 points"``."""
    points = round(100 * change, 1)
    sign = "+" if points > 0 else MINUS if points < 0 else "\N{PLUS-MINUS SIGN}"
    return f"{sign}{abs(points):.1f} points"


def count_text(count: float) -> str:
    """Count in full below a million, then in millions or billions: ``"61.1 M"``."""
    if count < 1e6:
        return f"{count:,.0f}"
    if count < 1e9:
        return f"{count / 1e6:,.1f} M"
    return f"{count / 1e9:,.2f} G"


def at_least(left_out: Sequence[str] | bool) -> str:
    """Words before a figure that leaves something out: ``"at least "``; "" where nothing is."""
    return "at least " if left_out else ""


def energy_text(energy_pj: float) -> str:
    """Energy given in picojoules, in the unit that leaves one to three digits before the point."""
    for factor, unit in ((1e3, "pJ"), (1e6, "nJ"), (1e9, "µJ"), (1e12, "mJ")):
        if energy_pj < factor * 0.9995:
            return f"{energy_pj / factor * 1e3:.3g} {unit}"
    return f"{energy_pj / 1e12:,.3g} J"


def shape_text(shape: tuple[int, ...]) -> str:
    """Sizes joined by the multiplication sign: ``"300 × 784"``."""
    return f" {TIMES} ".join(f"{size:,}" for size in shape)


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
