"""A button that opens a window with Python, ready to copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from explorer.closing import close_all
from explorer.views.front_end import script


class CodeButton(anywidget.AnyWidget):
    """A button and its window, which Escape closes; focus goes back to the button then.

    The button sends ``{"type": "ask"}``. The answer is a custom message of the type
    ``"code"`` with ``title``, ``text``, ``note`` and ``error``.
    """

    _esm = script("code_block.js", "copy_code.js")

    label = traitlets.Unicode("Copy as Python").tag(sync=True)
    help = traitlets.Unicode("Show Python code that computes what this tab shows.").tag(sync=True)


class CodeView:
    """A button that shows code made when it is pressed.

    Parameters
    ----------
    on_ask : callable
        Called without arguments when code is wanted.

    Attributes
    ----------
    widget : CodeButton
    """

    def __init__(self, on_ask: Callable[[], None]) -> None:
        self._on_ask = on_ask
        self.widget = CodeButton()
        self.widget.add_class("ex-python-box")
        self.widget.on_msg(self._receive)

    def draw(self, title: str, text: str, note: str = "", error: str = "") -> None:
        """Open the window with a heading, the code, and a remark or an error below."""
        message = {"type": "code", "title": title, "text": text, "note": note, "error": error}
        self.widget.send(message)

    def close(self) -> None:
        """Release the widget in the browser and the kernel."""
        close_all(self.widget)

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("type") == "ask":
            self._on_ask()
