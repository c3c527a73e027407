"""What can still be read of a damaged file of sweep points."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import NoneType

KINDS: tuple[tuple[type, ...], ...] = (
    (str,),
    (str,),
    (int,),
    (int,),
    (str, type(None)),
    (int, float),
    (str,),
)
MOST_PROBES = 20_000
Row = tuple[object, ...]


def sound_rows(path: Path, columns: str) -> list[Row]:
    """Return the sound rows of a file that is not written to; the first of each key.

    Parameters
    ----------
    path : Path
    columns : str
        Of the table ``points``, separated by commas.
    """
    found: dict[object, Row] = {}
    with suppress(sqlite3.Error):
        base = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        with closing(base):
            for row in _rows(base, f"SELECT rowid, {columns} FROM points NOT INDEXED"):
                if _is_sound(row):
                    found.setdefault(row[0], row)
    return list(found.values())


def _rows(base: sqlite3.Connection, query: str) -> Iterator[Row]:
    """Read from both ends as far as that goes, then what lies between one by one."""
    reached = []
    for order in ("", " DESC"):
        last = None
        with suppress(sqlite3.Error):
            for number, *row in base.execute(f"{query} ORDER BY rowid{order}"):
                last = number
                yield tuple(row)
        if last is not None:
            reached.append(last)
    first, end = (min(reached), max(reached)) if reached else (0, MOST_PROBES)
    for number in range(first, min(end, first + MOST_PROBES)):
        with suppress(sqlite3.Error):
            for _, *row in base.execute(f"{query} WHERE rowid = ?", (number,)):
                yield tuple(row)


def _is_sound(row: Row) -> bool:
    if not all(isinstance(value, kinds) for value, kinds in zip(row, KINDS, strict=True)):
        return False
    try:
        recipe, accuracy = json.loads(str(row[1])), json.loads(str(row[4] or "null"))
    except (ValueError, RecursionError):
        return False
    return (
        bool(row[0]) and isinstance(recipe, dict | list) and isinstance(accuracy, dict | NoneType)
    )
