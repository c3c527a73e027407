"""Undo, redo, and the tree of how each state came to be."""

from __future__ import annotations

from collections.abc import Callable

from explorer.history.history import Entry, History
from explorer.panels.figure_words import figures_words
from explorer.views.history import HistoryTreeView, UndoView
from explorer.widgets import View


class HistoryPanel(View):
    """The buttons, which may stand elsewhere too, and the tree in a card."""

    def __init__(self, history: History, go: Callable[[Entry], None]) -> None:
        self._history, self._go = history, go
        self._undo = UndoView(
            lambda: self._move(history.before),
            lambda: self._move(history.after),
            lambda down: setattr(history, "held", down),
        )
        self._tree = HistoryTreeView(lambda number: self._move(history[number]))
        self.buttons = self._undo
        super().__init__([self.buttons, self._tree], "ex-body")

    def draw(self) -> None:
        """Show the history as it is now."""
        self.draw_buttons()
        here = self._history.present
        self._tree.draw(
            [
                (
                    line.entry.number,
                    line.depth,
                    line.entry.words,
                    figures_words(line.entry.figures),
                    line.entry is here,
                )
                for line in self._history.lines()
            ]
        )

    def draw_buttons(self) -> None:
        """Show what would be undone and redone."""
        here, after = self._history.present, self._history.after
        undone = here.words if here is not None and self._history.before is not None else ""
        self._undo.draw(undone, after.words if after is not None else "")

    def _move(self, entry: Entry | None) -> None:
        if entry is not None:
            self._go(entry)
