"""What the browser holds: the page's address, its storage, and files to open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from explorer.views.assets import text
from explorer.widgets import ScriptView


class AddressView(ScriptView):
    """The address bar, a button that copies the link, and the browser's own storage.

    The browser sets `asked`, the address's ``?state=``, and `stored`, what it keeps for this
    page. Python sets `link`, the text for ``?state=`` ("" where there is none, and then `problem`
    says why), `note`, a remark on the link, and `kept`, what the browser is to keep. `unkept`
    says why it could not. With `unreadable` it first puts what it keeps aside.
    """

    _esm = text("address.js")

    asked = traitlets.Unicode("").tag(sync=True)
    stored = traitlets.Unicode("").tag(sync=True)
    link = traitlets.Unicode("").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)
    kept = traitlets.Unicode("").tag(sync=True)
    unkept = traitlets.Unicode("").tag(sync=True)
    unreadable = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        asked: Callable[[str], None],
        stored: Callable[[str, bool], None],
        unkept: Callable[[str], None],
    ) -> None:
        self._asked, self._stored, self._unkept = asked, stored, unkept
        self._first = True
        super().__init__("ex-address")

    def listen(self) -> None:
        """Hand over what the browser told already, and all that it tells from now on."""
        for name, tell in (
            ("asked", self._asked),
            ("stored", self._tell_stored),
            ("unkept", self._unkept),
        ):
            if getattr(self, name):
                tell(getattr(self, name))
            self.observe(lambda change, tell=tell: tell(change["new"]), name)

    def draw(self, link: str, problem: str = "", note: str = "") -> None:
        """Show a state's text in the address, and offer to copy the link."""
        with self.hold_sync():
            self.link, self.problem, self.note = link, problem, note

    def keep(self, text: str) -> None:
        """Let the browser keep a text for the next visit."""
        self.kept = text
        self.unreadable = False

    def spare(self) -> None:
        """Let the browser put what it keeps now aside, before it keeps anything else."""
        self.unreadable = True

    def _tell_stored(self, text: str) -> None:
        first, self._first = self._first, False
        self._stored(text, first)


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
