"""Keeping a picture of the page in the notebook that shows it."""

from __future__ import annotations

import os
from collections.abc import Callable
from uuid import uuid4

from explorer.page.cells import running_cell
from explorer.session.latest_wins import LatestWins
from explorer.views.still import Still

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
