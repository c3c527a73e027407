"""What stays of the page in a saved notebook; which explorer a cell shows."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4
from weakref import ref

from ipywidgets import Widget

from explorer.session.latest_wins import LatestWins
from explorer.views.still import Still

IN_HISTORY = re.compile(r"_+|_\d+")

Made = tuple[str, list["ref[Widget]"]]


class Cells:
    """What each cell of a kernel's notebooks made when it was last run."""

    def __init__(self) -> None:
        self._made: dict[str, Made] = {}

    def made(self, widget: Widget) -> None:
        """Take note of what a cell made; close what an earlier run of the same cell did.

        All that one run makes lives, and so does what other cells made. Outside of a
        notebook's cell nothing is closed.
        """
        running = running_cell()
        if running is None:
            return
        cell, run = running
        last_run, widgets = self._made.get(cell, ("", []))
        if last_run != run:
            for old in [found for each in widgets if (found := each()) is not None]:
                old.close()
                _forget(old)
            widgets = []
        self._made[cell] = (run, [*widgets, ref(widget)])


CELLS = Cells()


def running_cell() -> tuple[str, str] | None:
    """Return what names the cell that is running, and this run of it; None where none is.

    Front ends tell which cell it is; of one that does not, cells of the same text are one.
    """
    kernel = getattr(_shell(), "kernel", None)
    if kernel is None or threading.current_thread() is not threading.main_thread():
        return None
    request = kernel.get_parent()
    header = request.get("header", {})
    if header.get("msg_type") != "execute_request":
        return None
    cell = request.get("metadata", {}).get("cellId") or request.get("content", {}).get("code")
    return str(cell), str(header.get("msg_id"))


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _forget(widget: Widget) -> None:
    """Take what is closed from a shell's history of outputs, which would keep its memory."""
    shell = _shell()
    for names in (shell.user_ns, shell.user_ns_hidden, shell.user_ns.get("_oh", {})):
        for name in [name for name, value in names.items() if value is widget]:
            if isinstance(name, int) or IN_HISTORY.fullmatch(name):
                del names[name]
    for name in ("_", "__", "___"):
        if getattr(shell.displayhook, name, None) is widget:
            setattr(shell.displayhook, name, None)


RESTED_S = 1.0
SERVER = "SERVER_SOFTWARE"


class StillPanel:
    """A picture beside the page, shown when the notebook is opened without its kernel.

    It is an output of its own, which is out of sight while the page lives, and is drawn anew
    when the hand has rested. Nothing is drawn outside of a notebook.

    `draw`: called without arguments; returns a `Still`. `key`: the page's widget has the class
    ``ex-shows-KEY``.
    """

    def __init__(self, draw: Callable[[], Still]) -> None:
        self.key = uuid4().hex[:16]
        self._draw = draw
        self._is_shown = False
        self._last = ""
        self._drawer = LatestWins("explorer-still", settle_s=RESTED_S)

    def show(self) -> None:
        """Put the picture beside the page, which a notebook's cell is about to display."""
        if running_cell() is not None and not os.environ.get(SERVER, "").startswith("voila"):
            self._publish(update=False)
            self._is_shown = True

    def renew(self) -> None:
        """Draw it anew, once the hand has rested."""
        if self._is_shown:
            self._drawer.submit(lambda stale: None if stale() else self._publish(update=True))

    def close(self) -> None:
        """Stop drawing; the last picture stays."""
        self._is_shown = False
        self._drawer.close()

    def _publish(self, *, update: bool) -> None:
        from IPython.display import display

        still = self._draw()
        shown = {"text/html": still.html(self.key), "text/plain": still.text}
        if update and shown["text/html"] == self._last:
            return
        self._last = shown["text/html"]
        display(shown, raw=True, display_id=f"explorer-{self.key}", update=update)
