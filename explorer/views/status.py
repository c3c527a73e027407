"""What is going on: a line of words, a progress bar, a stop button, an error in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from explorer.closing import close_all
from explorer.views.front_end import script


class StatusLine(anywidget.AnyWidget):
    """Status in the browser; `progress` is None when idle and -1 when the end is not known."""

    _esm = script("status.js")

    message = traitlets.Unicode("").tag(sync=True)
    progress = traitlets.Float(None, allow_none=True).tag(sync=True)
    can_stop = traitlets.Bool(False).tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)


class StatusView:
    """Status line, progress bar, stop button and error box.

    Parameters
    ----------
    on_stop : callable, optional
        Called without arguments when the stop button is pressed; without it none shows.

    Attributes
    ----------
    widget : StatusLine
        Its ``.ex-status`` is announced politely by screen readers, ``.ex-error`` at once.
    """

    def __init__(self, on_stop: Callable[[], None] | None = None) -> None:
        self._on_stop = on_stop
        self.widget = StatusLine()
        self.widget.add_class("ex-status-box")
        self.widget.on_msg(self._receive)

    def draw(self, message: str) -> None:
        """Say that nothing is under way, in a message such as ``"Ready."``."""
        self._set(message, None)

    def work(self, message: str, fraction: float | None = None) -> None:
        """Say what is under way and how far it is.

        Parameters
        ----------
        message : str
            What is being done, in words.
        fraction : float, optional
            Part done, in [0, 1]; the bar runs without end when it is not given.
        """
        self._set(message, -1.0 if fraction is None else min(1.0, max(0.0, fraction)))

    def fail(self, error: str) -> None:
        """Show an error in words until `clear` is called; what was under way is said no more."""
        with self.widget.hold_sync():
            self.widget.error = error
            if self.widget.progress is not None:
                self.widget.message = ""
            self.widget.progress = None
            self.widget.can_stop = False

    def clear(self) -> None:
        """Take the error away."""
        self.widget.error = ""

    def close(self) -> None:
        """Release the widget in the browser and the kernel."""
        close_all(self.widget)

    def _set(self, message: str, progress: float | None) -> None:
        with self.widget.hold_sync():
            self.widget.message = message
            self.widget.progress = progress
            self.widget.can_stop = progress is not None and self._on_stop is not None

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("type") == "stop" and self._on_stop is not None:
            self._on_stop()
