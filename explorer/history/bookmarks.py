"""Bookmarks: kept states, and their files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from explorer.history.figures import KeptFigures
from explorer.history.history import recipe_words
from explorer.history.state import State
from explorer.history.strict_json import check_object, check_text, read_json

LONGEST = 60
MOST = 100


@dataclass(frozen=True)
class Bookmark:
    """A state under a name.

    `name`: 1 to 60 printable characters. `figures`: what was measured of it when it was kept.
    Raises ValueError if the name is empty, too long, or has unprintable characters.
    """

    name: str
    state: State
    figures: KeptFigures | None = None

    def __post_init__(self) -> None:
        if not check_text(self.name, "name", LONGEST).strip():
            raise ValueError("name: a kept state needs a name; got an empty one")


class Bookmarks:
    """Kept states, the oldest first; every name is there once.

    `items`: the first ones. Raises ValueError if a name occurs twice, or there are more than 100.
    """

    def __init__(self, items: Iterable[Bookmark] = ()) -> None:
        self._items: dict[str, Bookmark] = {}
        for item in items:
            self._add(item)

    def __iter__(self) -> Iterator[Bookmark]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def __getitem__(self, name: str) -> Bookmark:
        if name not in self._items:
            raise ValueError(f"name: nothing is kept under {name!r:.80}")
        return self._items[name]

    def keep(self, state: State, figures: KeptFigures | None = None, name: str = "") -> Bookmark:
        """Keep a state.

        `name`: by default what `suggest` gives. Raises ValueError if the name is taken or unfit,
        there are 100 already, or what is kept could not be read back.
        """
        State.from_dict(state.as_dict())
        if figures is not None:
            KeptFigures.from_dict(figures.as_dict(), "figures")
        return self._add(Bookmark(name.strip() or self.suggest(state), state, figures))

    def suggest(self, state: State) -> str:
        """Return a free name that describes the steps of a state."""
        return self._free(recipe_words(state.recipe))

    def rename(self, old: str, new: str) -> None:
        """Give a kept state another name; it keeps its place.

        Raises ValueError if there is no such state, or the new name is taken or unfit.
        """
        renamed = replace(self[old], name=new.strip())
        if renamed.name != old:
            self._check_free(renamed.name)
        self._items = {
            renamed.name if name == old else name: renamed if name == old else item
            for name, item in self._items.items()
        }

    def remove(self, name: str) -> None:
        """Keep a state no longer. Raises ValueError if there is no such state."""
        del self._items[self[name].name]

    def measured(self, state: State, figures: KeptFigures) -> bool:
        """Take better figures for kept states of the same work; return whether there were any."""
        found = [
            item
            for item in self
            if item.state.same_work(state) and (item.figures is None or item.figures.n < figures.n)
        ]
        for item in found:
            self._items[item.name] = replace(item, figures=figures)
        return bool(found)

    def join(self, others: Iterable[Bookmark]) -> int:
        """Add states that are not kept yet, under a free name each; return how many there were.

        Raises ValueError if that would be more than 100; then none is added.
        """
        joined = Bookmarks(self)
        for other in others:
            mine = self._items.get(other.name)
            if mine is None or not mine.state.same_work(other.state):
                joined._add(replace(other, name=joined._free(other.name)))
        n_added = len(joined) - len(self)
        self._items = joined._items
        return n_added

    def _add(self, item: Bookmark) -> Bookmark:
        self._check_free(item.name)
        if len(self) >= MOST:
            raise ValueError(f"{MOST} states are kept, as many as can be; remove one first")
        self._items[item.name] = item
        return item

    def _check_free(self, name: str) -> None:
        if name in self._items:
            raise ValueError(f"name: {name!r} is taken; choose another one")

    def _free(self, name: str) -> str:
        """Return a name like this one that is not taken."""
        wanted, number = shortened(name, LONGEST), 1
        while wanted in self._items:
            number += 1
            end = f" ({number})"
            wanted = shortened(name, LONGEST - len(end)) + end
        return wanted


def shortened(text: str, longest: int) -> str:
    """Return a text, cut with an ellipsis where it is too long."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


FORMAT = "compression-explorer-bookmarks"
VERSION = 1
MAX_CHARACTERS = 1_000_000
COLUMNS = (
    "name",
    "network",
    "weights",
    "recipe",
    "size_bytes",
    "original_bytes",
    "compression_ratio",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "accuracy_n",
    "sparsity",
    "macs",
    "energy_pj",
)
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def bookmarks_to_json(bookmarks: Iterable[Bookmark]) -> str:
    """Return kept states as JSON; `bookmarks_from_json` reads it back.

    Raises ValueError if the text would have more than a million characters.
    """
    items = [_as_dict(item) for item in bookmarks]
    file = {"format": FORMAT, "version": VERSION, "bookmarks": items}
    text = json.dumps(file, separators=(",", ":"), allow_nan=False)
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"bookmarks: {len(text):,} characters; at most {MAX_CHARACTERS:,} are kept: "
            "remove some, or shorten their recipes"
        )
    return text


def bookmarks_from_json(text: str) -> Bookmarks:
    """Read kept states, strictly.

    `text`: what `bookmarks_to_json` returns, at most a million characters. Raises ValueError if it
    is anything else; the message names the part.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"bookmarks: {len(text):,} characters; at most {MAX_CHARACTERS:,} are read"
        )
    file = check_object(
        read_json(text, "bookmarks"), "bookmarks", ("format", "version", "bookmarks")
    )
    if file.get("format") != FORMAT or file.get("version") != VERSION:
        raise ValueError(
            f"bookmarks: expected a file of format {FORMAT!r}, version {VERSION}, as the page "
            f"exports it; got {file.get('format')!r:.60}, {file.get('version')!r:.20}"
        )
    items = file.get("bookmarks")
    if not isinstance(items, list) or len(items) > MOST:
        raise ValueError(f"bookmarks: expected a list of at most {MOST}")
    return Bookmarks(_from_dict(item, f"bookmark {i}") for i, item in enumerate(items, 1))


def bookmarks_to_csv(bookmarks: Iterable[Bookmark]) -> str:
    """Return kept states as CSV, a line each; figures that are not known stay empty.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for item in bookmarks:
        state = item.state
        texts = (item.name, state.model, state.weights, state.recipe.to_json())
        writer.writerow([*map(harmless, texts), *_numbers(item.figures)])
    return out.getvalue()


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula.

    Examples
    --------
    >>> harmless("=1+1"), harmless("Prune 90%")
    ("'=1+1", 'Prune 90%')
    """
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def _numbers(figures: KeptFigures | None) -> list[float | None]:
    if figures is None:
        return [None] * (len(COLUMNS) - 4)
    known = figures.accuracy
    accuracy = [known.value, known.low, known.high, known.n] if known else [None] * 4
    sizes = [figures.size_bytes, figures.original_bytes, figures.compression_ratio]
    return [*sizes, *accuracy, figures.sparsity, figures.macs, figures.energy_pj]


def _as_dict(item: Bookmark) -> dict[str, Any]:
    figures = {"figures": item.figures.as_dict()} if item.figures else {}
    return {"name": item.name, "state": item.state.as_dict()} | figures


def _from_dict(value: Any, what: str) -> Bookmark:
    given = check_object(value, what, ("name", "state", "figures"))
    name = check_text(given.get("name"), f"{what}: name", LONGEST)
    if not name.strip():
        raise ValueError(f"{what}: name: expected a name; got an empty one")
    figures = given.get("figures")
    return Bookmark(
        name,
        State.from_dict(given.get("state"), f"{what}: state"),
        None if figures is None else KeptFigures.from_dict(figures, f"{what}: figures"),
    )
