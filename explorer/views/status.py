"""What is going on: a line of words, a progress bar, a stop button, an error in words."""

from __future__ import annotations

import traitlets

from explorer.views.front_end import script
from explorer.widgets import ScriptView


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
