"""Undo and redo: two buttons, and their keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from explorer.views.front_end import text
from explorer.widgets import ScriptView


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
