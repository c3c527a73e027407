"""Which class is taken for which, as a matrix or, with many classes, as a table."""

from __future__ import annotations

from typing import Any

import traitlets
from ipywidgets import ToggleButtons, Widget

from explorer.measure.confusion import Confusion, Pair
from explorer.views.assets import script
from explorer.views.format import MINUS
from explorer.views.parts import caption
from explorer.views.tables import Table
from explorer.widgets import ScriptView, View

MOST_DRAWN = 30
ROWS = 30
COUNTS, CHANGE = "Counts", "Change"
HEADS = [(head, "") for head in ("truth", "answer", "times", "before")]


class Matrix(ScriptView):
    """A table of colored numbers, true classes down and answers across; redrawn in place.

    A cell is ``[text, part, tone]``: `part` in [0, 1] is the depth of its color, and `tone` is
    ``"good"`` or ``"bad"``.
    """

    _esm = script("confusion.js")

    names: traitlets.List = traitlets.List(traitlets.Unicode()).tag(sync=True)
    cells: traitlets.List = traitlets.List().tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def show(self, names: list[str], cells: list[list[list[Any]]], label: str) -> None:
        """Show a matrix in one message."""
        with self.hold_sync():
            self.names, self.cells, self.label = names, cells, label
            self.version += 1


class ConfusionView(View):
    """Counts after compression, or what became of those of the original."""

    def __init__(self) -> None:
        self._choice = ToggleButtons(options=[COUNTS, CHANGE])
        self._choice.add_class("ex-confusion-choice")
        self._choice.tooltips = ["answers of the compressed network", "less those of the original"]
        self._choice.observe(lambda _change: self._redraw(), "value")
        self._matrix = Matrix("ex-confusion")
        self._table = Table("Classes that are confused most often")
        self._caption = caption()
        self._record: Confusion | None = None
        self._placed: tuple[Widget, ...] = ()
        self._parts = (self._choice, self._matrix, self._table)
        super().__init__([self._caption])

    def draw(self, record: Confusion) -> None:
        """Show a record."""
        self._record = record
        self._redraw()

    def _redraw(self) -> None:
        record = self._record
        if record is None:
            return
        if record.after is not None and len(record.names) <= MOST_DRAWN:
            self._draw_matrix(record)
            self._place(self._choice, self._matrix)
        else:
            rows = [_row(pair, record.names) for pair in record.pairs[:ROWS]]
            self._table.show(HEADS if rows else [], rows)
            self._place(self._table)
        self._caption.value = _caption_text(record)

    def _draw_matrix(self, record: Confusion) -> None:
        changes = self._choice.value == CHANGE
        cells = _change_cells(record) if changes else _count_cells(record)
        words = "change of the counts" if changes else "counts"
        label = f"Confusion matrix, {words}: true classes down, answers across"
        self._matrix.show(list(record.names), cells, label)

    def _place(self, *parts: Widget) -> None:
        """Display some of the parts, and the caption."""
        if self._placed != parts:
            self._placed, self.children = parts, (*parts, self._caption)


def _count_cells(record: Confusion) -> list[list[list[Any]]]:
    assert record.after is not None
    rows = record.after.tolist()
    most = max((n for i, row in enumerate(rows) for j, n in enumerate(row) if i != j), default=0)
    return [
        [
            _cell(f"{n:,}" if n else "", n / (sum(row) if i == j else most) if n else 0.0, i == j)
            for j, n in enumerate(row)
        ]
        for i, row in enumerate(rows)
    ]


def _change_cells(record: Confusion) -> list[list[list[Any]]]:
    change = record.change
    assert change is not None
    rows = change.tolist()
    most = max(abs(n) for row in rows for n in row)
    return [
        [
            _cell(_signed(n), abs(n) / most if n else 0.0, (n > 0) == (i == j))
            for j, n in enumerate(row)
        ]
        for i, row in enumerate(rows)
    ]


def _cell(text: str, part: float, good: bool) -> list[Any]:
    return [text, round(part, 3), "good" if good else "bad"]


def _signed(n: int) -> str:
    return f"{'+' if n > 0 else MINUS}{abs(n):,}" if n else ""


def _row(pair: Pair, names: tuple[str, ...]) -> list[str]:
    return [names[pair.truth], names[pair.answer], f"{pair.n_after:,}", f"{pair.n_before:,}"]


def _caption_text(record: Confusion) -> str:
    if not record.pairs:
        return "Look at the empty cells beside the diagonal: no class is taken for another."
    first, names = record.pairs[0], record.names
    grown = max(record.pairs, key=lambda pair: pair.n_after - pair.n_before)
    text = (
        f"Look beside the diagonal: {_taken(first, names)} is the most frequent mistake "
        f"({_counts(first)})."
    )
    if grown is not first and grown.n_after > grown.n_before:
        text += f" {_taken(grown, names)} grew most: {_counts(grown)}."
    return text


def _taken(pair: Pair, names: tuple[str, ...]) -> str:
    return f"{names[pair.truth]} taken for {names[pair.answer]}"


def _counts(pair: Pair) -> str:
    return f"{_times(pair.n_after)}, {_times(pair.n_before)} before"


def _times(n: int) -> str:
    return {0: "never", 1: "once"}.get(n, f"{n:,} times")
