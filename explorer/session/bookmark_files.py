"""Kept states as files: JSON that reads back, and CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from explorer.session.bookmarks import LONGEST, MOST, Bookmark, Bookmarks
from explorer.session.kept_figures import KeptFigures
from explorer.session.state import State
from explorer.session.strict_json import check_object, check_text, read_json

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

    Raises
    ------
    ValueError
        If the text would have more than a million characters.
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

    Parameters
    ----------
    text : str
        What `bookmarks_to_json` returns, at most a million characters.

    Raises
    ------
    ValueError
        If it is anything else; the message names the part.
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
