"""A table of numbers, drawn by the browser."""

from __future__ import annotations

from collections.abc import Sequence

import traitlets

from explorer.views.front_end import script
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
