"""Kept figures as texts: one line of them, or a cell each."""

from __future__ import annotations

from explorer.history.figures import KeptFigures
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import ACCURACY
from explorer.views.format import (
    DASH,
    at_least,
    count_text,
    energy_text,
    interval_text,
    percent_text,
    ratio_text,
    score_text,
    size_text,
)


def figures_words(figures: KeptFigures | None) -> str:
    """Return size and accuracy in a line, such as ``"24.3 KB, 97.1%"``; "" for none."""
    if figures is None:
        return ""
    size = size_text(figures.size_bytes)
    accuracy = figures.accuracy
    return size if accuracy is None else f"{size}, {score_text(accuracy)}"


def figure_cells(figures: KeptFigures | None) -> list[str]:
    """Return size, ratio, accuracy with its interval, sparsity, operations and energy."""
    if figures is None:
        return [DASH] * 6
    least = at_least(figures.at_least)
    return [
        size_text(figures.size_bytes),
        ratio_text(figures.compression_ratio),
        accuracy_words(figures),
        percent_text(figures.sparsity),
        DASH if figures.macs is None else f"{least}{count_text(figures.macs)}",
        DASH if figures.energy_pj is None else f"{least}{energy_text(figures.energy_pj)}",
    ]


def accuracy_words(figures: KeptFigures) -> str:
    """Return what it was judged by: value, interval and number of samples, in a line."""
    known = figures.accuracy
    if known is None:
        return DASH
    of = "" if known.complete else f" of {known.n_total:,}"
    parts = [interval_text(known)] if interval_text(known) else []
    parts += [f"n = {known.n:,}{of}"] if known.n else []
    named = [known.name] if known.scale != ACCURACY else []
    guess = isinstance(known, Accuracy) and known.guesses
    told = ", ".join([*named, *parts, *(["guesses"] if guess else [])])
    return f"{score_text(known)} ({told})" if told else score_text(known)
