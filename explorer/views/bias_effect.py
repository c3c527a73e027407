"""A class that was never seen, before and after its bias is raised."""

from __future__ import annotations

from typing import Any

from explorer.measure.accuracy import Accuracy
from explorer.measure.label_repair import BiasEffect
from explorer.views.bars import Bars, bar_row
from explorer.views.caption import caption
from explorer.views.format import percent_text
from explorer.widgets import View

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
                _row(f"Class {record.name}", record.class_before, record.class_after),
                _row("All", record.before, record.after),
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


def _row(name: str, before: Accuracy, after: Accuracy) -> dict[str, Any]:
    texts = percent_text(before.top1), percent_text(after.top1)
    tracks = [[(0.0, before.top1, "before")], [(0.0, after.top1, "after")]]
    words = f"{name}: {texts[0]} right before, {texts[1]} after, {after.n:,} samples"
    return bar_row(name, tracks, ["\n".join(texts)], words, f"n = {after.n:,}")
