"""The file's size, stage by stage, as a waterfall."""

from __future__ import annotations

from typing import Any

from explorer.measure.bytes import Waterfall
from explorer.views.bars import Bars, Segment, bar_row
from explorer.views.caption import caption
from explorer.views.format import SLIGHT, change_text, ratio_text, size_text
from explorer.widgets import View

_KEYS = {"after": "left", "gone": "saved by this stage", "grown": "added by this stage"}


class BytesView(View):
    """One bar a stage on a linear scale: what is left, and what the stage saved or added.

    Bytes and the cumulative ratio stand beside each bar, so that the shortest is readable too.
    """

    def __init__(self) -> None:
        self._bars = Bars("Size after each stage", ["Stage", "Bytes on disk", "Size", "Ratio"])
        self._caption = caption()
        super().__init__([self._bars, self._caption])

    def draw(self, record: Waterfall) -> None:
        """Show a record."""
        sizes = [size_bytes for _, size_bytes in record.stages]
        longest, before, tones = max(sizes), sizes[0], set[str]()
        rows: list[dict[str, Any]] = []
        for (label, size), ratio in zip(record.stages, record.ratios, strict=True):
            track = _track(before / longest, size / longest)
            tones.update(tone for _, _, tone in track)
            words = f"{label}: {size_text(size)}, {ratio_text(ratio)}"
            detail = change_text(before, size, size_text) if rows else ""
            rows.append(
                bar_row(label, [track], [size_text(size), ratio_text(ratio)], words, detail)
            )
            before = size
        keys = [(tone, name, "") for tone, name in _KEYS.items() if tone in tones]
        self._bars.show(rows, keys)
        self._caption.value = _caption_text(record)


def _track(before: float, after: float) -> list[Segment]:
    if after > before:
        return [(0.0, before, "after"), (before, after - before, "grown")]
    segments: list[Segment] = [(0.0, after, "after")]
    return [*segments, (after, before - after, "gone")] if after < before else segments


def _caption_text(record: Waterfall) -> str:
    if len(record.stages) == 1:
        return "No step is in the recipe: add one and see what it saves."
    grown = [
        label
        for (label, _), step in zip(record.stages, record.step_ratios, strict=True)
        if step < 1 - SLIGHT
    ]
    if grown:
        return f"Look at {grown[0]}: this stage makes the file larger than it was before."
    steps = dict(
        zip([label for label, _ in record.stages[1:]], record.step_ratios[1:], strict=True)
    )
    best = max(steps, key=lambda label: steps[label])
    if steps[best] < 1 + SLIGHT:
        return "No step saves anything yet: turn a dial and see which bar gets shorter."
    return (
        f"{ratio_text(record.ratios[-1])} in all. See how the ratios multiply: "
        f"{best} saves most, {ratio_text(steps[best])} by itself."
    )
