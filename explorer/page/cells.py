"""What the cells of a notebook have made: a cell that is run again closes what it made before."""

from __future__ import annotations

import re
import sys
import threading
from typing import Any
from weakref import ref

from ipywidgets import Widget

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
