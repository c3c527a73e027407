"""The tree of how each state came to be, as a list to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import traitlets
from ipywidgets import VBox

from explorer.closing import close_all
from explorer.views.caption import caption
from explorer.views.front_end import script

HINT = (
    "From top to bottom: how the present state came to be. What was tried and dropped stands "
    "indented below where it began. Press any line to go back to it."
)
Row = tuple[int, int, str, str, bool]


class HistoryTree(anywidget.AnyWidget):
    """A list of buttons; a row is a list: number, depth, words, note, whether it is present.

    A press sends ``{"type": "go", "number": number}``.
    """

    _esm = script("history_tree.js")

    rows: traitlets.List = traitlets.List().tag(sync=True)


class HistoryTreeView:
    """Rows of states, indented by branch, and a caption.

    Parameters
    ----------
    go : callable
        Called with the number of a row that is pressed.

    Attributes
    ----------
    widget : VBox
    """

    def __init__(self, go: Callable[[int], None]) -> None:
        self._go = go
        self._tree = HistoryTree()
        self._tree.add_class("ex-history")
        self._tree.on_msg(self._receive)
        self.widget = VBox([self._tree, caption(HINT)])

    def draw(self, rows: Sequence[Row]) -> None:
        """Show rows from top to bottom."""
        self._tree.rows = [list(row) for row in rows]

    def close(self) -> None:
        """Release the widgets in the browser and the kernel."""
        close_all(self.widget)

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        number = content.get("number")
        known = {row[0] for row in self._tree.rows}
        if content.get("type") == "go" and isinstance(number, int) and number in known:
            self._go(number)
