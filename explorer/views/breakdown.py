"""What the bytes of the file are spent on."""

from __future__ import annotations

from explorer.measure.bytes import Breakdown, BreakdownRow
from explorer.views.bars import Bars, bar_row
from explorer.views.caption import caption
from explorer.views.format import percent_text, size_text
from explorer.views.table import Table
from explorer.widgets import View

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
        self._caption.value = _caption_text(totals, record.size_bytes)

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


def _caption_text(totals: dict[str, int], size_bytes: int) -> str:
    if not totals:
        return "The file is empty."
    largest = max(totals, key=lambda role: totals[role])
    part = percent_text(totals[largest] / sum(totals.values()))
    return f"{size_bytes:,} bytes in all. Look at the longest part: {part} is {_WORDS[largest]}."
