"""A teacher and a student, both compressed: four rows, and the product of two ratios."""

from __future__ import annotations

from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Score
from explorer.measure.students import Family, Relative
from explorer.views.caption import caption
from explorer.views.format import TIMES, ratio_text, size_text
from explorer.views.scores import change_words, direction_words, score_text, value_text
from explorer.views.table import Table
from explorer.widgets import View

HEADS = ("Network", "Bytes", "Smaller than the teacher")


class FamilyView(View):
    """Bytes and accuracy of the four."""

    def __init__(self) -> None:
        self._table = Table("Teacher and student, as they are and compressed")
        self._caption = caption()
        super().__init__([self._table, self._caption])

    def draw(self, record: Family | None, words: str = "") -> None:
        """Show a family, or words in its place."""
        rows = [] if record is None else [_row(record, row) for row in record.rows]
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


def _row(record: Family, row: Relative) -> list[str]:
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
