"""States to keep: under a name, with their figures, side by side, as files."""

from __future__ import annotations

from collections.abc import Callable

from explorer.history.bookmarks import (
    Bookmark,
    Bookmarks,
    bookmarks_from_json,
    bookmarks_to_csv,
    bookmarks_to_json,
)
from explorer.history.figures import KeptFigures
from explorer.history.state import State
from explorer.panels.bookmark_text import bookmarks_python
from explorer.panels.comparison import compare
from explorer.panels.figure_words import figure_cells
from explorer.views.export import Choice
from explorer.views.history import BookmarksView
from explorer.widgets import View

Shown = tuple[State, KeptFigures | None]
FILES: tuple[Choice, ...] = (
    ("json", "Kept states", ".json, to read back here"),
    ("csv", "Figures", ".csv, for spreadsheets"),
    ("python", "Python", "code that makes the networks"),
)


class BookmarksPanel(View):
    """A card with the kept states."""

    def __init__(
        self,
        go: Callable[[State], None],
        current: Callable[[], Shown],
        changed: Callable[[str], None],
    ) -> None:
        self.kept = Bookmarks()
        self._go, self._current, self._changed = go, current, changed
        actions: dict[str, Callable[..., None]] = {
            "keep": self._keep,
            "go": lambda name: self._go(self.kept[name].state),
            "remove": self._remove,
            "rename": self._rename,
            "read": self._read,
        }
        guarded = {name: self._guarded(act) for name, act in actions.items()}
        self._view = BookmarksView(guarded, self._compare, self._guarded(self._export))
        super().__init__([self._view])

    def draw(self) -> None:
        """Show what is kept, and suggest a name for what is shown."""
        rows = [[item.name, *figure_cells(item.figures)] for item in self.kept]
        files = list(FILES) if len(self.kept) else []
        self._view.draw(rows, self.kept.suggest(self._current()[0]), files)

    def stored(self, text: str, first: bool) -> bool:
        """Take what the browser keeps; return whether it could be read."""
        try:
            found = bookmarks_from_json(text)
            if first:
                self.kept.join(found)
            else:
                self.kept = found
        except ValueError as error:
            self._view.say("", f"What this browser kept could not be read: {error}")
            return False
        if first and bookmarks_to_json(self.kept) != text:
            self._changed(bookmarks_to_json(self.kept))
        self.draw()
        return True

    def measured(self, state: State, figures: KeptFigures) -> None:
        """Take better figures for what is kept of this state."""
        if self.kept.measured(state, figures):
            self._save()

    def fail(self, words: str) -> None:
        """Say what went wrong."""
        self._view.say("", words)

    def _guarded(self, action: Callable[..., None]) -> Callable[..., None]:
        """Let an action that goes wrong change nothing, and show why in words."""

        def guarded(*texts: str) -> None:
            before = list(self.kept)
            try:
                action(*texts)
            except ValueError as error:
                self.kept = Bookmarks(before)
                self._view.say("", str(error))

        return guarded

    def _save(self, message: str = "") -> None:
        self._changed(bookmarks_to_json(self.kept))
        self._view.say(message)
        self.draw()
        self._compare(self._view.ticked)

    def _keep(self, name: str) -> None:
        state, figures = self._current()
        self._save(f"Kept {self.kept.keep(state, figures, name).name}.")

    def _remove(self, name: str) -> None:
        self.kept.remove(name)
        self._save(f"Removed {name}.")

    def _rename(self, old: str, new: str) -> None:
        self.kept.rename(old, new)
        self._save(f"Renamed to {new.strip()}.")

    def _read(self, text: str) -> None:
        n_added = self.kept.join(bookmarks_from_json(text))
        self._save(f"Read the file: {n_added} new.")

    def _compare(self, names: tuple[str, ...]) -> None:
        chosen = [self.kept[name] for name in names if name in self.kept]
        if len(chosen) < 2:
            self._view.compare([], [], "")
            return
        found = compare(chosen)
        self._view.compare(found.heads, found.rows, found.remark)

    def _export(self, kind: str) -> None:
        chosen: list[Bookmark] = [self.kept[name] for name in self._view.ticked] or list(self.kept)
        n_states = "1 state" if len(chosen) == 1 else f"{len(chosen)} states"
        if kind == "python":
            remark = f"Makes {n_states} again, wherever the explorer is installed."
            self._view.files.give_text(bookmarks_python(chosen), remark)
            return
        write = bookmarks_to_json if kind == "json" else bookmarks_to_csv
        name = f"kept-states.{kind}"
        self._view.files.give_file(name, write(chosen).encode(), f"{name}, {n_states}")
