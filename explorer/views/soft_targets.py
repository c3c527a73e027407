"""Softened answers for one image: the hard label, the teacher's, and a student's."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from explorer.measure.soft_targets import SoftTargetsRecord
from explorer.views.format import MINUS, probability_text
from explorer.views.parts import caption
from explorer.views.tables import Bars, Segment, bar_row
from explorer.widgets import View

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
        rows = [_row(record, i, float(logits[i])) for i in record.likeliest(DRAWN)]
        keys = [(HARD, "hard label", ""), (TEACHER, "teacher", _bits(record, record.teacher_bits))]
        if record.student_bits is not None:
            keys.append((STUDENT, "student", _bits(record, record.student_bits)))
        self._bars.show(rows, keys)
        self._caption.value = _words(record)


def _row(record: SoftTargetsRecord, i: int, logit: float) -> dict[str, Any]:
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
