"""The tree of how each state came to be, as a list to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from explorer.views.caption import caption
from explorer.views.front_end import script
from explorer.widgets import ScriptView, View

HINT = (
    "From top to bottom: how the present state came to be. What was tried and dropped stands "
    "indented below where it began. Press any line to go back to it."
)
Row = tuple[int, int, str, str, bool]


class HistoryTree(ScriptView):
    """A list of buttons; a row is a list: number, depth, words, note, whether it is present.

    A press sends ``{"type": "go", "number": number}``.
    """

    _esm = script("history_tree.js")

    rows: traitlets.List = traitlets.List().tag(sync=True)


class HistoryTreeView(View):
    """Rows of states, indented by branch, and a caption."""

    def __init__(self, go: Callable[[int], None]) -> None:
        self._go = go
        self._tree = HistoryTree("ex-history")
        self._tree.on_msg(self._receive)
        super().__init__([self._tree, caption(HINT)])

    def draw(self, rows: Sequence[Row]) -> None:
        """Show rows from top to bottom."""
        self._tree.rows = [list(row) for row in rows]

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        number = content.get("number")
        known = {row[0] for row in self._tree.rows}
        if content.get("type") == "go" and isinstance(number, int) and number in known:
            self._go(number)
