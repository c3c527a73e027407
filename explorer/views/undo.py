"""Undo and redo: two buttons, and their keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from explorer.closing import close_all
from explorer.views.front_end import text


class UndoButtons(anywidget.AnyWidget):
    """Buttons, with Ctrl+Z and Ctrl+Shift+Z wherever on the page no text is edited.

    A press sends ``{"type": "undo"}`` or ``{"type": "redo"}``. `held` is set by the browser
    while the mouse is down on a dial.
    """

    _esm = text("undo.js")

    undo = traitlets.Unicode("").tag(sync=True)
    redo = traitlets.Unicode("").tag(sync=True)
    held = traitlets.Bool(False).tag(sync=True)


class UndoView:
    """Buttons that go back and on.

    Parameters
    ----------
    undo, redo : callable
        Called without arguments when a button or its key is pressed.
    held : callable
        Called with True when the mouse goes down on a dial, and with False when it is up.

    Attributes
    ----------
    widget : UndoButtons
        May be shown in several places.
    """

    def __init__(
        self,
        undo: Callable[[], None],
        redo: Callable[[], None],
        held: Callable[[bool], None],
    ) -> None:
        self._actions = {"undo": undo, "redo": redo}
        self.widget = UndoButtons()
        self.widget.add_class("ex-undo-box")
        self.widget.on_msg(self._receive)
        self.widget.observe(lambda change: held(change["new"]), "held")

    def draw(self, undo: str, redo: str) -> None:
        """Say what would be undone and redone; "" where there is nothing."""
        with self.widget.hold_sync():
            self.widget.undo, self.widget.redo = undo, redo

    def close(self) -> None:
        """Release the widget in the browser and the kernel."""
        close_all(self.widget)

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        action = self._actions.get(str(content.get("type")))
        if action is not None:
            action()
