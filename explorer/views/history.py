"""Undo and redo, the tree of states, and kept states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import traitlets
from ipywidgets import VBox

from explorer.views.assets import script, text
from explorer.views.export import Choice, ExportView
from explorer.views.parts import caption
from explorer.views.tables import Table
from explorer.widgets import ScriptView, View, show


class UndoView(ScriptView):
    """Buttons, with Ctrl+Z and Ctrl+Shift+Z wherever on the page no text is edited.

    A press sends ``{"type": "undo"}`` or ``{"type": "redo"}``. `held` is set by the browser
    while the mouse is down on a dial.
    """

    _esm = text("undo.js")

    undo = traitlets.Unicode("").tag(sync=True)
    redo = traitlets.Unicode("").tag(sync=True)
    held = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        undo: Callable[[], None],
        redo: Callable[[], None],
        held: Callable[[bool], None],
    ) -> None:
        self._actions = {"undo": undo, "redo": redo}
        super().__init__("ex-undo-box")
        self.on_msg(self._receive)
        self.observe(lambda change: held(change["new"]), "held")

    def draw(self, undo: str, redo: str) -> None:
        """Say what would be undone and redone; "" where there is nothing."""
        with self.hold_sync():
            self.undo, self.redo = undo, redo

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        action = self._actions.get(str(content.get("type")))
        if action is not None:
            action()


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


KEPT_HINT = (
    "Kept states stay in this browser, on this machine: no server holds them. "
    "Tick two or more to see side by side what differs."
)
FILES_HINT = "JSON can be read back here, CSV opens in spreadsheets, Python makes the networks."
HEADS = ("Name", "Size", "Ratio", "Accuracy", "Sparsity", "Operations", "Energy")
ACTIONS = {"keep": 1, "go": 1, "remove": 1, "rename": 2, "read": 1}


class KeptTable(ScriptView):
    """A field for a name with a button, and a table with a tick box and buttons a row.

    A row is a list of texts, a name and its figures. What the person does is sent as
    ``{"type": action, "texts": [...]}``; the names that are ticked are in `ticked`.
    """

    _esm = script("bookmarks.js")

    heads = traitlets.List(list(HEADS)).tag(sync=True)
    rows: traitlets.List = traitlets.List().tag(sync=True)
    suggestion = traitlets.Unicode("").tag(sync=True)
    ticked: traitlets.List = traitlets.List().tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)


class _FilesView(ExportView):
    """The buttons of exports, with a caption on these files."""

    def __init__(self, on_ask: Callable[[str], None]) -> None:
        super().__init__(on_ask)
        self._caption.value = FILES_HINT


class BookmarksView(View):
    """Kept states, a comparison of those that are ticked, and files of them."""

    def __init__(
        self,
        actions: Mapping[str, Callable[..., None]],
        ticked: Callable[[tuple[str, ...]], None],
        on_ask: Callable[[str], None],
    ) -> None:
        self._actions = actions
        self._table = KeptTable("ex-kept-box")
        self._table.on_msg(self._receive)
        self._table.observe(lambda _change: ticked(self.ticked), "ticked")
        self._compared = Table("What differs between the ticked states", "ex-compared")
        self._place = VBox([self._compared])
        self._remark = caption()
        self.files = _FilesView(on_ask)
        super().__init__([self._table, caption(KEPT_HINT), self._place, self._remark, self.files])
        self.compare([], [], "")

    @property
    def ticked(self) -> tuple[str, ...]:
        """Names of the rows that are ticked."""
        names = {row[0] for row in self._table.rows}
        return tuple(str(name) for name in self._table.ticked if name in names)

    def draw(self, rows: Sequence[Sequence[str]], suggestion: str, files: list[Choice]) -> None:
        """Show kept states, a name for the next one, and the files that can be had."""
        names = {row[0] for row in rows}
        with self._table.hold_sync():
            self._table.rows = [list(row) for row in rows]
            self._table.suggestion = suggestion
            self._table.ticked = [name for name in self._table.ticked if name in names]
        self.files.draw(files)
        self.files.shown = bool(files)

    def compare(self, heads: Sequence[str], rows: Sequence[Sequence[str]], remark: str) -> None:
        """Show a table of what differs, and a remark; what is empty is hidden."""
        if rows:
            self._compared.show([(head, "") for head in heads], rows)
        show(self._place, bool(rows))
        self._remark.value = remark
        show(self._remark, bool(remark))

    def say(self, message: str, error: str = "") -> None:
        """Say what was done, or why it was not."""
        with self._table.hold_sync():
            self._table.message, self._table.error = message, error

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        action, texts = content.get("type"), content.get("texts")
        if action not in ACTIONS or not isinstance(texts, list) or len(texts) != ACTIONS[action]:
            return
        if all(isinstance(text, str) for text in texts):
            self._actions[action](*texts)
