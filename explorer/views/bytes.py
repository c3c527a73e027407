"""Bytes of the file: from step to step, and by what they are spent on."""

from __future__ import annotations

from typing import Any

from explorer.measure.bytes import Breakdown, BreakdownRow, Waterfall
from explorer.views.format import SLIGHT, change_text, percent_text, ratio_text, size_text
from explorer.views.parts import caption
from explorer.views.tables import Bars, Segment, Table, bar_row
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


_DECIMAL_ROOM = "\N{PUNCTUATION SPACE}\N{FIGURE SPACE}"
_WORDS = {
    "values": "the weights' values or codes",
    "indices": "the places of the kept weights",
    "fillers": "zeros that bridge long gaps",
    "codebooks": "shared values and scales",
    "tables": "the entropy coder's tables",
    "header": "the header: names, layouts, padding, checksums",
    "untouched": "tensors that no step changes",
}


class BreakdownView(View):
    """One stacked bar for the whole file, and a table of its parts, in bytes."""

    def __init__(self) -> None:
        self._bar = Bars("What the file's bytes are spent on", class_="ex-bars-thick")
        self._table = Table("Bytes of each part of the file by role", "ex-table-total")
        self._caption = caption()
        super().__init__([self._bar, self._table, self._caption])

    def draw(self, record: Breakdown) -> None:
        """Show a record."""
        totals = record.totals
        whole = sum(totals.values()) or 1
        start, track = 0.0, []
        for role, bits in totals.items():
            track.append((start, bits / whole, f"role-{role}"))
            start += bits / whole
        keys = [
            (f"role-{role}", role, f"{size_text(bits / 8)}, {percent_text(bits / whole)}")
            for role, bits in totals.items()
        ]
        words = "; ".join(f"{role} {text}" for _, role, text in keys)
        self._bar.show([bar_row("", [track], [], f"Whole file: {words}")], keys)
        self._draw_table(record, list(totals))
        self._caption.value = _spent_text(totals, record.size_bytes)

    def _draw_table(self, record: Breakdown, roles: list[str]) -> None:
        named = [(role.capitalize(), f"role-{role}") for role in roles]
        heads = [("Part", ""), *named, ("Bytes", "")]
        rows = [*record.rows, BreakdownRow("whole file", record.totals)]
        parted = any(bits % 8 for row in rows for bits in row.bits.values())
        self._table.show(heads, [_cells(row, roles, parted) for row in rows])


def _cells(row: BreakdownRow, roles: list[str], parted: bool) -> list[str]:
    bits = [*(row.bits.get(role, 0) for role in roles), row.total_bits]
    return [row.name, *(_bytes_text(part, parted) for part in bits)]


def _bytes_text(bits: int, parted: bool) -> str:
    """Bytes, with a decimal where a field ends within one; whole ones keep its room free."""
    if bits % 8:
        return f"{bits / 8:,.1f}"
    text = f"{bits // 8:,}" if bits else "\N{EN DASH}"
    return text + (_DECIMAL_ROOM if parted else "")


def _spent_text(totals: dict[str, int], size_bytes: int) -> str:
    if not totals:
        return "The file is empty."
    largest = max(totals, key=lambda role: totals[role])
    part = percent_text(totals[largest] / sum(totals.values()))
    return f"{size_bytes:,} bytes in all. Look at the longest part: {part} is {_WORDS[largest]}."
