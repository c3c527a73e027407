"""A button that opens a window with Python, ready to copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from explorer.views.front_end import script
from explorer.widgets import ScriptView


class CodeView(ScriptView):
    """A button and its window with Python; Escape closes it, and focus goes back to the button.

    The button sends ``{"type": "ask"}``. The answer is a custom message of the type
    ``"code"`` with ``title``, ``text``, ``note`` and ``error``.
    """

    _esm = script("code_block.js", "copy_code.js")

    label = traitlets.Unicode("Copy as Python").tag(sync=True)
    help = traitlets.Unicode("Show Python code that computes what this tab shows.").tag(sync=True)

    def __init__(self, on_ask: Callable[[], None]) -> None:
        self._on_ask = on_ask
        super().__init__("ex-python-box")
        self.on_msg(self._receive)

    def draw(self, title: str, text: str, note: str = "", error: str = "") -> None:
        """Open the window with a heading, the code, and a remark or an error below."""
        message = {"type": "code", "title": title, "text": text, "note": note, "error": error}
        self.send(message)

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("type") == "ask":
            self._on_ask()
