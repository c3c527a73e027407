"""Kept states side by side: only what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from explorer.compress.methods.setting import Dial, Setting
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.controls.steps import title_of
from explorer.history.bookmarks import Bookmark
from explorer.history.history import ALL, recipe_words
from explorer.panels.figure_words import figure_cells
from explorer.views.format import DASH, percent_text
from explorer.views.history import HEADS

Row = tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """What differs between kept states.

    Attributes
    ----------
    heads : tuple of str
        "" for the first column, then the names.
    rows : tuple of tuple of str
        What it is, then its value in each state.
    n_equal : int
        Rows left out because all values are the same.
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
    """Put two or more kept states side by side.

    Raises
    ------
    ValueError
        If there are fewer than two.
    """
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
