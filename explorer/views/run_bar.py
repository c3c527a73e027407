"""Buttons of a run, and the status line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import traitlets
from ipywidgets import Button, HBox

from explorer.views.assets import script
from explorer.widgets import ScriptView, View

ACTIONS = {"start": "Start", "pause": "Pause", "resume": "Resume", "stop": "Stop"}
TOOLTIPS = {
    "start": "Start a run with the settings above; one that is under way ends.",
    "pause": "Pause after the current step; what was reached so far can be looked at.",
    "resume": "Go on from where the run was paused.",
    "stop": "End the run after the current step; what was reached stays.",
}


class RunBar(View):
    """Buttons for what can be done now, over a line of words with a progress bar."""

    def __init__(self, pressed: Mapping[str, Callable[[], None]]) -> None:
        self._buttons = {name: self._button(name, pressed[name]) for name in ACTIONS}
        self._row = HBox(list(self._buttons.values()))
        self._row.add_class("ex-run-buttons")
        self._status = StatusView()
        super().__init__([self._row, self._status], "ex-run")
        self.offer("start")

    def _button(self, name: str, act: Callable[[], None]) -> Button:
        button = Button(description=ACTIONS[name], tooltip=TOOLTIPS[name])
        button.add_class(f"ex-run-{name}")
        button.on_click(lambda _button: act())
        return button

    def offer(self, *actions: str) -> None:
        """Let these actions be chosen; buttons of others are disabled, or give way."""
        for name, button in self._buttons.items():
            button.disabled = name not in actions
        held = "resume" in actions
        (_hide if held else _show)(self._buttons["pause"])
        (_show if held else _hide)(self._buttons["resume"])

    def work(self, words: str, fraction: float | None) -> None:
        """Say what is under way, and how far it is; None where that is not known."""
        self._status.work(words, fraction)

    def rest(self, words: str) -> None:
        """Say something while nothing is under way."""
        self._status.draw(words)

    def fail(self, words: str) -> None:
        """Show an error in words; "" takes it away."""
        if words:
            self._status.fail(words)
        else:
            self._status.clear()


def _show(button: Button) -> None:
    button.layout.display = ""


def _hide(button: Button) -> None:
    button.layout.display = "none"


class StatusView(ScriptView):
    """Status line, progress bar and error box; `progress` is None when idle, -1 without an end."""

    _esm = script("status.js")

    message = traitlets.Unicode("").tag(sync=True)
    progress = traitlets.Float(None, allow_none=True).tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)

    def __init__(self) -> None:
        super().__init__("ex-status-box")

    def draw(self, message: str) -> None:
        """Say that nothing is under way, in a message such as ``"Ready."``."""
        self._set(message, None)

    def work(self, message: str, fraction: float | None = None) -> None:
        """Say what is under way and how far it is."""
        self._set(message, -1.0 if fraction is None else min(1.0, max(0.0, fraction)))

    def fail(self, error: str) -> None:
        """Show an error in words until `clear` is called; what was under way is said no more."""
        with self.hold_sync():
            self.error = error
            if self.progress is not None:
                self.message = ""
            self.progress = None

    def clear(self) -> None:
        """Take the error away."""
        self.error = ""

    def _set(self, message: str, progress: float | None) -> None:
        with self.hold_sync():
            self.message = message
            self.progress = progress
