"""Tables of numbers and rows of bars, drawn by the browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets

from explorer.views.assets import script
from explorer.widgets import ScriptView, mark


class Table(ScriptView):
    """Rows of texts, all but the first column right-aligned; scrolls, its head stays.

    On a phone a row is a block that names each value, so that no column is cut off; where
    `stacked` is False it stays a table there as well.

    A head is a text and a tone: a CSS class ``ex-tone-<tone>`` for its swatch, "" for none.
    """

    _esm = script("table.js")

    heads: traitlets.List = traitlets.List().tag(sync=True)
    rows: traitlets.List = traitlets.List().tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def __init__(self, label: str, class_: str = "", stacked: bool = True) -> None:
        super().__init__(f"ex-table-box {class_}", label=label)
        mark(self, "ex-table-stacked", stacked)

    def show(self, heads: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> None:
        """Show heads and rows in one message; without rows the table has the class ``ex-empty``.

        The browser sets the class: once it has rendered, an anywidget no longer hears of changed
        classes.
        """
        with self.hold_sync():
            self.heads = [list(head) for head in heads]
            self.rows = [list(row) for row in rows]
            self.version += 1


Segment = tuple[float, float, str]


class Bars(ScriptView):
    """Rows of a name, one or more bars and right-aligned texts; redrawn in place.

    A bar consists of segments ``(start, length, tone)`` in parts of its width; a tone is a
    CSS class ``ex-tone-<tone>``. The legend's keys are ``(tone, name, text)``.
    """

    _esm = script("bars.js")

    heads: traitlets.List = traitlets.List(traitlets.Unicode()).tag(sync=True)
    rows: traitlets.List = traitlets.List().tag(sync=True)
    legend: traitlets.List = traitlets.List().tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def __init__(self, label: str, heads: Sequence[str] = (), class_: str = "") -> None:
        super().__init__(f"ex-bars {class_}", label=label, heads=list(heads))

    def show(self, rows: list[dict[str, Any]], legend: Sequence[tuple[str, str, str]] = ()) -> None:
        """Show rows made with `bar_row`, and a legend, in one message."""
        with self.hold_sync():
            self.rows = rows
            self.legend = [list(key) for key in legend]
            self.version += 1


def bar_row(
    name: str,
    tracks: Sequence[Sequence[Segment]],
    texts: Sequence[str],
    label: str,
    detail: str = "",
) -> dict[str, Any]:
    """Make a row."""
    bars = [
        [[round(start, 4), round(length, 4), tone] for start, length, tone in track]
        for track in tracks
    ]
    return {"name": name, "detail": detail, "tracks": bars, "texts": list(texts), "label": label}
