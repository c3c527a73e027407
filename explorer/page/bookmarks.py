"""Kept states, compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from explorer.compress.methods.setting import Dial, Setting
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.controls.steps import title_of
from explorer.history.bookmarks import (
    Bookmark,
    Bookmarks,
    bookmarks_from_json,
    bookmarks_to_csv,
    bookmarks_to_json,
)
from explorer.history.figures import KeptFigures
from explorer.history.history import ALL, recipe_words
from explorer.history.state import State
from explorer.page.code import bookmarks_python
from explorer.page.words import figure_cells
from explorer.views.export import Choice
from explorer.views.format import DASH, percent_text
from explorer.views.history import HEADS, BookmarksView
from explorer.widgets import View

Row = tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """What differs between kept states.

    `heads`: "" for the first column, then the names. `rows`: what it is, then its value in each
    state. `n_equal`: rows left out because all values are the same.
    """

    heads: Row
    rows: tuple[Row, ...]
    n_equal: int

    @property
    def remark(self) -> str:
        """What was left out, in a sentence."""
        equal = {0: "Nothing is", 1: "1 row is"}.get(self.n_equal, f"{self.n_equal} rows are")
        what = "the same in all and left out" if self.n_equal else "the same in all"
        return f"{equal} {what}: look for the step that explains the difference in size."


def compare(bookmarks: Sequence[Bookmark]) -> Comparison:
    """Put two or more kept states side by side. Raises ValueError if there are fewer than two."""
    if len(bookmarks) < 2:
        raise ValueError(f"bookmarks: tick two or more to compare; got {len(bookmarks)}")
    states = [item.state for item in bookmarks]
    rows: list[Row] = [
        ("Network", *(state.model or "without a name" for state in states)),
        ("Weights", *({"default": "trained"}.get(s.weights, s.weights) for s in states)),
        *_recipe_rows([state.recipe for state in states]),
    ]
    cells = [figure_cells(item.figures) for item in bookmarks]
    rows += [(name, *texts) for name, *texts in zip(HEADS[1:], *cells, strict=True)]
    differing = tuple(row for row in rows if len(set(row[1:])) > 1)
    return Comparison(
        ("", *(item.name for item in bookmarks)), differing, len(rows) - len(differing)
    )


def _recipe_rows(recipes: Sequence[Recipe]) -> list[Row]:
    patterns = list(dict.fromkeys(p for recipe in recipes for p, _ in recipe.entries))
    rows: list[Row] = []
    for pattern in sorted(patterns, key=lambda each: each != ALL):
        place = "" if pattern == ALL else f"{pattern}: "
        found = [dict(recipe.entries).get(pattern) for recipe in recipes]
        if any(steps is None for steps in found) and pattern != ALL:
            words = ("as all layers" if s is None else recipe_words(_alone(s)) for s in found)
            rows.append((f"{place}steps", *words))
        else:
            rows += _steps_rows(place, [steps or () for steps in found])
    return rows


def _alone(steps: Steps) -> Recipe:
    return Recipe(((ALL, steps),))


def _steps_rows(place: str, recipes: Sequence[Steps]) -> list[Row]:
    """Return rows on the steps for one pattern: each step, its fields, and the order."""
    numbered = [_numbered(steps) for steps in recipes]
    keys = list(dict.fromkeys(key for steps in numbered for key in steps))
    rows: list[Row] = []
    for key in keys:
        name = f"{place}{title_of(key[0])}" + (f" {key[1] + 1}" if key[1] else "")
        found = [steps.get(key) for steps in numbered]
        if any(step is None for step in found):
            rows.append((name, *(DASH if step is None else step.describe() for step in found)))
        else:
            rows += _field_rows(name, [step for step in found if step is not None])
    orders = [
        tuple(key for key in steps if all(key in each for each in numbered)) for steps in numbered
    ]
    if len(set(orders)) > 1:
        names = (", ".join(title_of(kind) for kind, _ in order) for order in orders)
        rows.append((f"{place}Order of steps", *names))
    return rows


def _numbered(steps: Steps) -> dict[tuple[type[Setting], int], Setting]:
    """Return steps by kind, and by how many of the kind came before."""
    found: dict[tuple[type[Setting], int], Setting] = {}
    for step in steps:
        kind = type(step)
        found[kind, sum(known is kind for known, _ in found)] = step
    return found


def _field_rows(name: str, steps: Sequence[Setting]) -> list[Row]:
    rows: list[Row] = []
    for field in fields(steps[0]):
        values = [getattr(step, field.name) for step in steps]
        if any(value is not None for value in values):
            dial = field.metadata.get("dial")
            label = dial.label.lower() if dial else field.name
            rows.append((f"{name}, {label}", *(_words(dial, value) for value in values)))
    return rows


def _words(dial: Dial | None, value: Any) -> str:
    if value is None:
        return DASH
    if dial is not None and dial.kind == "choice":
        return next((label for label, known in dial.choices if known == value), str(value))
    if dial is not None and dial.kind == "fraction":
        return percent_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


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
        self._view = BookmarksView(guarded, self._compare_states, self._guarded(self._export))
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
        self._compare_states(self._view.ticked)

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

    def _compare_states(self, names: tuple[str, ...]) -> None:
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
