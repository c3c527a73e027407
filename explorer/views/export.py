"""What the page hands over: files, Python, and a tour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import traitlets

from explorer.views.assets import script
from explorer.views.parts import caption
from explorer.widgets import ScriptView, View

HINT = (
    "Only the compressed file is smaller: ex.open reads from it the very weights that you saw. "
    "Dense weights and ONNX hold the same network at full size, for programs that know no other."
)
Choice = tuple[str, str, str]


class ExportBox(ScriptView):
    """Buttons, a line on what happened, and a box for text that is to be copied.

    A button sends ``{"type": "ask", "kind": kind}``. The answer is a custom message:
    ``{"type": "file", "name": name}`` with the bytes as its buffer, which the browser
    saves, or ``{"type": "text", "text": text}``, which it shows and puts on the clipboard.
    """

    _esm = script("code_block.js", "export.js")

    choices: traitlets.List = traitlets.List().tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)


class ExportView(View):
    """Buttons, each with what it gives, and the answer below."""

    def __init__(self, on_ask: Callable[[str], None]) -> None:
        self._on_ask = on_ask
        self._box = ExportBox("ex-export")
        self._box.on_msg(self._receive)
        self._caption = caption(HINT)
        super().__init__([self._box, self._caption])

    def draw(self, choices: list[Choice]) -> None:
        """Show buttons: kind, name and a remark of each."""
        self._box.choices = [list(choice) for choice in choices]

    def work(self, message: str) -> None:
        """Say what is being made; the buttons wait."""
        self._say(message, "", True)

    def give_file(self, name: str, content: bytes, message: str) -> None:
        """Let the browser save a file."""
        self._box.send({"type": "file", "name": name}, [content])
        self._say(message, "", False)

    def give_text(self, text: str, message: str) -> None:
        """Show text, ready to be copied."""
        self._box.send({"type": "text", "text": text})
        self._say(message, "", False)

    def fail(self, words: str) -> None:
        """Say why there is no file."""
        self._say("", words, False)

    def _say(self, message: str, error: str, busy: bool) -> None:
        with self._box.hold_sync():
            self._box.message, self._box.error, self._box.busy = message, error, busy

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        kind = str(content.get("kind"))
        if content.get("type") == "ask" and kind in {choice[0] for choice in self._box.choices}:
            self._on_ask(kind)


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


@dataclass(frozen=True)
class TourStep:
    """One step of a tour.

    `selector`: CSS selector, inside the page's root, of what it is about; a step whose element is
    not there is left out.
    """

    title: str
    text: str
    selector: str


class TourBox(ScriptView):
    """A button that shows the tour, and an offer in a corner for who has not seen it.

    The offer is made on the served page, unless it was opened with a ``?state=``, and never
    again once it was taken or declined in this browser. The tour is a dialog: it holds the
    focus, Escape ends it, and the focus goes back to the button.
    """

    _esm = script("tour.js")

    steps: traitlets.List = traitlets.List().tag(sync=True)

    def __init__(self, steps: Sequence[TourStep]) -> None:
        super().__init__(steps=[asdict(step) for step in steps])
        self.add_class("ex-tour-box")
