"""Time before and after compression."""

from __future__ import annotations

from explorer.measure.latency import Speed, SpeedRow
from explorer.views.format import ratio_text
from explorer.views.parts import caption
from explorer.views.tables import Bars, bar_row
from explorer.widgets import View

SLOWER = 0.95
_KEYS = [("before", "before", ""), ("after", "after", "")]


class SpeedView(View):
    """Two bars a row, before and after, with their milliseconds and how much faster it got."""

    def __init__(self) -> None:
        self._bars = Bars("Time before and after", ["", "", "Time", "Speedup"], "ex-bars-speed")
        self._caption = caption()
        super().__init__([self._bars, self._caption])

    def draw(self, record: Speed) -> None:
        """Show a record."""
        longest = max((max(row.before_ms, row.after_ms) for row in record.rows), default=1.0)
        shared = _shared_note(record)
        rows = [_row(row, longest, "" if shared else row.note) for row in record.rows]
        self._bars.show(rows, _KEYS if record.rows else [])
        self._caption.value = _caption_text(record, shared)


def _shared_note(record: Speed) -> str:
    """Return the note that all rows have in common; "" where they differ."""
    notes = {row.note for row in record.rows}
    return notes.pop() if len(notes) == 1 else ""


def _row(row: SpeedRow, longest: float, note: str) -> dict[str, object]:
    before, after = _time_text(row.before_ms), _time_text(row.after_ms)
    words = f"{row.label}: {before} before, {after} after, {ratio_text(row.speedup)} as fast"
    tracks = [
        [(0.0, row.before_ms / longest, "before")],
        [(0.0, row.after_ms / longest, "grown" if row.speedup < SLOWER else "after")],
    ]
    return bar_row(row.label, tracks, [f"{before}\n{after}", ratio_text(row.speedup)], words, note)


def _time_text(time_ms: float) -> str:
    if time_ms < 0.9995:
        return f"{_three(1000 * time_ms)} µs"
    return f"{time_ms:,.0f} ms" if time_ms >= 99.95 else f"{_three(time_ms)} ms"


def _three(number: float) -> str:
    """Three digits, zeros at the end kept, so that the two times line up."""
    return f"{number:#.3g}".rstrip(".")


def _caption_text(record: Speed, note: str) -> str:
    measured = f"Measured on this machine's CPU{f': {note}' if note else ''}."
    if not record.rows:
        return f"{measured} Nothing is timed yet."
    if any(row.speedup < SLOWER for row in record.rows):
        return f"{measured} Look for what got slower: fewer bytes need not mean less time."
    if all(row.speedup < 1 / SLOWER for row in record.rows):
        return (
            f"{measured} Look: it is no faster. Zeros and shared values take as long as any, and "
            "fewer operations save little where layers are small."
        )
    return f"{measured} See whether the time falls as much as the bytes do: it seldom does."
