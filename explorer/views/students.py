"""Students beside their teacher; softened answers."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from explorer.measure.accuracy import Accuracy
from explorer.measure.label_repair import BiasEffect
from explorer.measure.metric import Scale, Score
from explorer.measure.soft_targets import SoftTargetsRecord
from explorer.measure.students import ERROR, Family, Relative, StudentRow, StudentTable
from explorer.views.format import (
    MINUS,
    TIMES,
    change_words,
    count_text,
    direction_words,
    number_text,
    percent_text,
    probability_text,
    ratio_text,
    score_text,
    size_text,
    value_text,
    with_unit,
)
from explorer.views.parts import caption
from explorer.views.tables import Bars, Segment, Table, bar_row
from explorer.widgets import View

TONES = ("before", "after")
SHAPES = {
    "shallow": "SNN, one hidden layer",
    "deep": "DNN, three hidden layers",
    "convolutional": "CNN, three above a convolution",
}


class StudentsView(View):
    """Errors, or what a metric told, weights and bytes in a table."""

    def __init__(self) -> None:
        self._table = Table("Students and their teacher: what they came to, weights, bytes")
        self._caption = caption()
        super().__init__([self._table, self._caption])

    def draw(self, record: StudentTable) -> None:
        """Show a table."""
        judged = f"{record.scale.name} (95% interval)"
        if all(math.isnan(row.low) for row in record.rows):
            judged = record.scale.name
        heads = ("Network", judged, "Seeds", "Weights", "Bytes")
        rows = [_row(row, record.scale) for row in record.rows]
        self._table.show([(head, "") for head in heads], rows)
        self._caption.value = gain_text(record)


class ShapesView(View):
    """Errors, or what a metric told, as bars, a group for each shape."""

    def __init__(self) -> None:
        self._bars = Bars("Students by shape", ["Shape", ERROR.name, ""], "ex-bars-shapes")
        self._caption = caption()
        super().__init__([self._bars, self._caption])

    def draw(self, record: StudentTable) -> None:
        """Show a table whose rows have groups."""
        top = max(abs(row.value) for row in record.rows) or 1.0
        scale = record.scale
        self._bars.heads = ["Shape", scale.name, ""]
        names, rows = list(record.spreads), []
        for group, own in record.groups.items():
            tracks = [
                [(0.0, max(row.value, 0.0) / top, TONES[names.index(row.name) % len(TONES)])]
                for row in own
            ]
            said = [value_text(row.value, scale) for row in own]
            words = ", ".join(f"{row.name} {value_text(row.value, scale)}" for row in own)
            shape = SHAPES.get(group, group)
            size = f"{own[0].n_weights:,} weights"
            rows.append(bar_row(shape, tracks, ["\n".join(said)], f"{shape}: {words}", size))
        self._bars.show(rows, [(TONES[i % 2], name, "") for i, name in enumerate(names)])
        self._caption.value = _shapes_text(record)


def gain_text(record: StudentTable) -> str:
    """Say how the last kind of students did against the first, and what to look for."""
    if record.scale != ERROR:
        return _metric_text(record)
    if not record.n_pairs:
        row = record.rows[-1]
        return (
            f"{row.name}: {value_text(row.value, ERROR)} wrong of {record.n:,} held-out samples. "
            "Look at the interval: a difference within it says little."
        )
    points = f"{abs(100 * record.gain):.1f} points {'less' if record.gain >= 0 else 'more'}"
    if not math.isfinite(record.gain_low):
        return (
            f"Taught by the teacher, the student erred {points} on {record.n:,} held-out samples. "
            "See whether the intervals of the two students overlap."
        )
    sign = 1 if record.gain >= 0 else -1
    low, high = sorted((sign * 100 * record.gain_low, sign * 100 * record.gain_high))
    return (
        f"Taught by the teacher, students erred {points} on average (95% interval {low:.1f} to "
        f"{high:.1f}), and less in {record.n_better} of {record.n_pairs} pairs, on {record.n:,} "
        "held-out samples. See whether the interval leaves out 0."
    )


def _metric_text(record: StudentTable) -> str:
    """Say the same of what a metric told."""
    scale, way = record.scale, direction_words(record.scale)
    if not record.n_pairs:
        row = record.rows[-1]
        return f"{row.name}: {scale.name} {value_text(row.value, scale)}; {way}."
    better = "better" if record.gain >= 0 else "worse"
    told = f"{scale.name} {value_text(abs(record.gain), scale)} {better}"
    if not math.isfinite(record.gain_low):
        return f"Taught by the teacher, the student came to a {told}; {way}."
    sign = 1 if record.gain >= 0 else -1
    low, high = sorted((sign * record.gain_low, sign * record.gain_high))
    between = f"{number_text(low)} to {with_unit(number_text(high), scale.unit)}"
    return (
        f"Taught by the teacher, students came to a {told} on average (95% interval {between}), "
        f"and better in {record.n_better} of {record.n_pairs} pairs; {way}. See whether the "
        "interval leaves out 0."
    )


def _shapes_text(record: StudentTable) -> str:
    if len(record.groups) < 2:
        return "The next shapes follow. Look at the two bars of a shape: labels, then teacher."
    told = ", ".join(
        f"{_spread_text(spread, record.scale)} {name}" for name, spread in record.spreads.items()
    )
    return f"From the best shape to the worst: {told}. See whether a teacher narrows the gap."


def _spread_text(spread: float, scale: Scale) -> str:
    return f"{100 * spread:.1f} points" if scale.share else value_text(spread, scale)


def _row(row: StudentRow, scale: Scale) -> list[str]:
    value, interval = value_text(row.value, scale), ""
    if math.isfinite(row.low):
        interval = f" ({value_text(row.low, scale)} to {value_text(row.high, scale)})"
    shape = SHAPES.get(row.group, row.group).split(",")[0]
    return [
        f"{shape}, {row.name}" if shape else row.name,
        f"{value}{interval}",
        str(row.n_seeds),
        count_text(row.n_weights),
        size_text(row.n_bytes),
    ]


HEADS = ("Network", "Bytes", "Smaller than the teacher")


class FamilyView(View):
    """Bytes and accuracy of the four."""

    def __init__(self) -> None:
        self._table = Table("Teacher and student, as they are and compressed")
        self._caption = caption()
        super().__init__([self._table, self._caption])

    def draw(self, record: Family | None, words: str = "") -> None:
        """Show a family, or words in its place."""
        rows = [] if record is None else [_family_row(record, row) for row in record.rows]
        heads = () if record is None else (*HEADS, judged_head(record.teacher.accuracy))
        self._table.show([(head, "") for head in heads], rows)
        self._caption.value = words or (family_text(record) if record is not None else "")


def family_text(record: Family) -> str:
    """Say what the student, the recipe and both give, and which way is better."""
    product = (
        f"{ratio_text(record.by_student)} (student) {TIMES} {ratio_text(record.by_recipe)} "
        f"(recipe) = {ratio_text(record.in_all)}"
    )
    alone = f"{ratio_text(record.ratio(record.teacher_small))} by the recipe alone"
    scale = record.teacher.accuracy.scale
    more = "more" if record.gain >= 0 else "less"
    accuracy = f"with {abs(100 * record.gain):.1f} points {more} accuracy"
    if not scale.share:
        change = change_words(record.gain, scale)
        accuracy = f"{scale.name} {change} ({direction_words(scale)})"
    note = f" {record.note}" if record.note else ""
    return (
        f"{product}, against {alone}, {accuracy}. See whether the small student still "
        f"stands what the recipe asks of it.{note}"
    )


def judged_head(judged: Accuracy | Score) -> str:
    """Return the head of a column of such values."""
    return judged.name if judged.low is None else f"{judged.name} (95% interval)"


def _family_row(record: Family, row: Relative) -> list[str]:
    judged, interval = row.accuracy, ""
    if judged.low is not None and judged.high is not None:
        low, high = (value_text(bound, judged.scale) for bound in (judged.low, judged.high))
        interval = f" ({low} to {high})"
    return [
        row.name,
        size_text(row.n_bytes),
        ratio_text(record.ratio(row)),
        f"{score_text(judged)}{interval}",
    ]


KEYS = [("before", "as it was trained", ""), ("after", "with the bias raised", "")]


class BiasEffectView(View):
    """Right answers in the class and in all, before and after."""

    def __init__(self) -> None:
        heads = ["Samples", "0 to 100%", "Right"]
        self._bars = Bars("Right answers before and after", heads)
        self._caption = caption()
        super().__init__([self._bars, self._caption])

    def draw(self, record: BiasEffect) -> None:
        """Show a record."""
        self._bars.show(
            [
                _bias_row(f"Class {record.name}", record.class_before, record.class_after),
                _bias_row("All", record.before, record.after),
            ],
            KEYS,
        )
        self._caption.value = effect_text(record)


def effect_text(record: BiasEffect) -> str:
    """Say what raising the bias does, and what to look for."""
    own, every = percent_text(record.class_after.top1), percent_text(record.after.top1)
    if record.amount == 0:
        return (
            f"The student never saw class {record.name}, and is right on {own} of it and {every} "
            "of all. Raise its bias with the dial, and see how much comes back."
        )
    before = percent_text(record.class_before.top1), percent_text(record.before.top1)
    return (
        f"With {record.amount:.1f} added to the bias of class {record.name}, which it never saw, "
        f"the student is right on {own} of it instead of {before[0]}, and on {every} of all "
        f"instead of {before[1]}. See from which point on the other classes lose more."
    )


def _bias_row(name: str, before: Accuracy, after: Accuracy) -> dict[str, Any]:
    texts = percent_text(before.top1), percent_text(after.top1)
    tracks = [[(0.0, before.top1, "before")], [(0.0, after.top1, "after")]]
    words = f"{name}: {texts[0]} right before, {texts[1]} after, {after.n:,} samples"
    return bar_row(name, tracks, ["\n".join(texts)], words, f"n = {after.n:,}")


DRAWN = 20
HARD, TEACHER, STUDENT = "before", "after", "grown"


class SoftTargetsView(View):
    """Bars for each class; of many classes, the likeliest 20."""

    def __init__(self) -> None:
        heads = ["Class", "0 to 100%", "Logit", "Softened"]
        self._bars = Bars("Softened answers by class", heads, "ex-bars-short ex-bars-soft")
        self._caption = caption()
        super().__init__([self._bars, self._caption])

    def draw(self, record: SoftTargetsRecord, logits: Tensor) -> None:
        """Show a record."""
        rows = [_soft_targets_row(record, i, float(logits[i])) for i in record.likeliest(DRAWN)]
        keys = [(HARD, "hard label", ""), (TEACHER, "teacher", _bits(record, record.teacher_bits))]
        if record.student_bits is not None:
            keys.append((STUDENT, "student", _bits(record, record.student_bits)))
        self._bars.show(rows, keys)
        self._caption.value = _words(record)


def _soft_targets_row(record: SoftTargetsRecord, i: int, logit: float) -> dict[str, Any]:
    teacher = float(record.teacher[i])
    tracks: list[list[Segment]] = [
        [(0.0, 1.0, HARD)] if record.label == i else [],
        [(0.0, teacher, TEACHER)],
    ]
    texts = [probability_text(teacher)]
    words = f"{record.classes[i]}: logit {logit:.2f}, teacher {texts[0]}"
    if record.student is not None:
        student = float(record.student[i])
        tracks.append([(0.0, student, STUDENT)])
        texts.append(probability_text(student))
        words += f", student {texts[1]}"
    words += ", the label" if record.label == i else ""
    shown = f"{logit:.2f}".replace("-", MINUS)
    return bar_row(record.classes[i], tracks, [shown, "\n".join(texts)], words)


def _bits(record: SoftTargetsRecord, bits: float) -> str:
    return f"{bits:.2f} of {record.max_bits:.2f} bits"


def _words(record: SoftTargetsRecord) -> str:
    other, elsewhere = record.runner_up, probability_text(record.elsewhere)
    most = probability_text(float(record.teacher[other]))
    return (
        f"At T = {record.temperature:.3g} the label says {record.classes[record.label]} and "
        f"nothing else; the teacher puts {elsewhere} elsewhere, {most} on {record.classes[other]}. "
        f"Entropy {_bits(record, record.teacher_bits)}: see how it grows with T."
    )
