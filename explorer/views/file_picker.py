"""A button that hands over a file from the visitor's machine, a part at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from explorer.views.front_end import text
from explorer.widgets import ScriptView

PART_BYTES = 1 << 20


class FilePickerView(ScriptView):
    """A button that opens the browser's dialog for files, and the talk about the chosen one.

    The browser sends ``{"type": "begin", "name": name, "size": bytes}``, and nothing of the
    content until it is asked with ``{"type": "more", "offset": offset}``. It answers with
    ``{"type": "part", "offset": offset}`` and at most 1 MiB as its buffer, or, where the file
    can no longer be read, with ``{"type": "lost", "words": why}``. ``{"type": "stop"}`` lets it
    forget the file.
    """

    _esm = text("file_picker.js")

    accept = traitlets.Unicode("").tag(sync=True)
    hint = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        accept: str,
        hint: str,
        begun: Callable[[str, int], None],
        part: Callable[[int, bytes], None],
        lost: Callable[[str], None],
    ) -> None:
        self._begun, self._part, self._lost = begun, part, lost
        super().__init__("ex-file-picker", accept=accept, hint=hint)
        self.on_msg(self._receive)

    def ask(self, offset: int) -> None:
        """Ask the browser for the part that begins at an offset."""
        self.send({"type": "more", "offset": offset})

    def stop(self) -> None:
        """Let the browser forget the file."""
        self.send({"type": "stop"})

    def _receive(self, _widget: Any, content: dict[str, Any], buffers: Any) -> None:
        kind, name, size = (content.get(key) for key in ("type", "name", "size"))
        offset, words = content.get("offset"), content.get("words")
        if kind == "begin" and isinstance(name, str) and type(size) is int:
            self._begun(name, size)
        elif kind == "part" and type(offset) is int and buffers and len(buffers) == 1:
            self._part(offset, bytes(buffers[0][: PART_BYTES + 1]))
        elif kind == "lost" and isinstance(words, str):
            self._lost(words)
