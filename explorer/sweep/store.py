"""Points kept in SQLite: the store, its repair, and a buffer in front of it."""

from __future__ import annotations

import json
import sqlite3
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from itertools import count
from pathlib import Path
from types import NoneType
from typing import Any

from explorer.codec.atomic import checked_path
from explorer.compress.methods.setting import Setting
from explorer.compress.networks.recipe import recipe_from_json
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Score
from explorer.sweep.point import Point

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

    `columns`: of the table ``points``, separated by commas.
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


MAGIC = b"SQLite format 3\x00"
APPLICATION = int.from_bytes(b"CXSW")
VERSION = 1
HEADER_BYTES = 100
PATIENCE_S = 30.0
PRIMARY = 0xFF
NOT_NOW = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
    }
)
TABLE = """CREATE TABLE IF NOT EXISTS points (
    key TEXT PRIMARY KEY, recipe TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    original_bytes INTEGER NOT NULL, accuracy TEXT, seconds REAL NOT NULL,
    error_message TEXT NOT NULL)"""
COLUMNS = "key, recipe, size_bytes, original_bytes, accuracy, seconds, error_message"
INSERTED = f"INSERT OR REPLACE INTO points ({COLUMNS}) VALUES (?,?,?,?,?,?,?)"


class Store:
    """The points of any number of sweeps in one file; several programs may use it at once.

    `path`: made if it is not there. Each point is on disk once `put` returns. Raises ValueError if
    the file is something else, or damaged; it is left as it was, and the points that can be read
    are kept in a fresh file beside it. Raises OSError if it cannot be used now: the disk is full or
    may not be written, or another program holds the file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = checked_path(path, "store")
        fresh = _is_fresh(self.path)
        try:
            self._base = sqlite3.connect(
                self.path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise ValueError(f"store: {str(path)!r} cannot be opened: {error}") from error
        try:
            self._start(fresh=fresh)
        except sqlite3.DatabaseError as error:
            self._base.close()
            raise self._wrong(error) from error
        except ValueError:
            self._base.close()
            raise

    def _start(self, *, fresh: bool) -> None:
        if fresh:
            self._base.execute("BEGIN IMMEDIATE")
            self._base.execute(f"PRAGMA application_id = {APPLICATION}")
            self._base.execute(f"PRAGMA user_version = {VERSION}")
            self._base.execute(TABLE)
            self._base.execute("COMMIT")
            self._log_ahead()
        elif (told := self._base.execute("PRAGMA quick_check(1)").fetchone()) != ("ok",):
            raise self._damaged(told[0])
        self._base.execute("PRAGMA synchronous = NORMAL")
        self._base.execute(f"SELECT {COLUMNS} FROM points LIMIT 1")

    def _log_ahead(self) -> None:
        """Write changes to a log first; unlike all else, asking for it does not wait its turn."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._base.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & PRIMARY != sqlite3.SQLITE_BUSY:
                    raise
                if time.monotonic() > end:
                    raise
            time.sleep(0.01)

    def _wrong(self, error: sqlite3.DatabaseError) -> Exception:
        """Return an error in words, which tells a full or busy disk from a damaged file."""
        if getattr(error, "sqlite_errorcode", 0) & PRIMARY in NOT_NOW:
            return OSError(f"store: {str(self.path)!r} cannot be used now: {error}")
        return self._damaged(error)

    def _damaged(self, why: object) -> ValueError:
        return ValueError(
            f"store: {str(self.path)!r} is damaged ({why}); nothing was written to it. "
            f"{self._kept_elsewhere()}"
        )

    def _kept_elsewhere(self) -> str:
        """Keep what can be read of a damaged file in a fresh one beside it; say where."""
        rows = sound_rows(self.path, COLUMNS)
        if not rows:
            return "Give another file, or move this one away"
        beside = (self.path.with_name(f"{self.path.name}.recovered-{n}") for n in count(1))
        fresh = next(path for path in beside if not path.exists())
        try:
            with closing(Store(fresh)) as store:
                for row in rows:
                    store._ask(INSERTED, row)
        except (OSError, ValueError) as error:
            return f"{len(rows)} points can be read, but not kept beside it: {error}"
        points = "1 point was" if len(rows) == 1 else f"{len(rows)} points were"
        return f"{points} read and kept in {str(fresh)!r}: go on with that store"

    def known(self, keys: Iterable[str], methods: Iterable[type[Setting]] = ()) -> dict[str, Point]:
        """Return those points that are kept, but for recipes that failed, which are tried again.

        `methods`: as for `recipe_from_json`.
        """
        methods = tuple(methods)
        query = f"SELECT {COLUMNS} FROM points WHERE key = ? AND error_message = ''"
        found = (self._ask(query, (key,)) for key in keys)
        return {row[0]: _point(row, methods) for row in found if row is not None}

    def put(self, point: Point) -> None:
        """Keep a point at once, in the place of an earlier one of the same key."""
        accuracy = None if point.accuracy is None else json.dumps(asdict(point.accuracy))
        row = (point.key, point.recipe.to_json(), point.size_bytes, point.original_bytes)
        rest = (accuracy, point.seconds, point.error_message)
        self._ask(INSERTED, row + rest)

    def _ask(self, query: str, values: tuple[object, ...]) -> tuple[str, ...] | None:
        try:
            return self._base.execute(query, values).fetchone()
        except sqlite3.DatabaseError as error:
            raise self._wrong(error) from error

    def close(self) -> None:
        """Close the file."""
        self._base.close()


class Forgetful(Store):
    """Keeps nothing, for sweeps without a store."""

    def __init__(self) -> None:
        pass

    def known(self, keys: Iterable[str], methods: Iterable[type[Setting]] = ()) -> dict[str, Point]:
        """Return no point."""
        return {}

    def put(self, point: Point) -> None:
        """Let the point go."""

    def close(self) -> None:
        """Do nothing."""


@contextmanager
def opened(path: str | Path | None) -> Iterator[Store]:
    """Lend the store at `path`, or one that keeps nothing."""
    with closing(Forgetful() if path is None else Store(path)) as store:
        yield store


def _is_fresh(path: Path) -> bool:
    """Whether there is no store yet; raises ValueError, reading only, where something else is."""
    if not path.exists():
        if not path.parent.is_dir():
            raise ValueError(f"store: there is no folder {str(path.parent)!r} for {path.name!r}")
        return True
    if not path.is_file():
        raise ValueError(f"store: {str(path)!r} is no file")
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if not header:
        return True
    version = int.from_bytes(header[60:64])
    if header[:16] != MAGIC or int.from_bytes(header[68:72]) != APPLICATION:
        raise ValueError(
            f"store: {str(path)!r} is not a file of sweep points; it was left as it is. "
            "Give a path that does not exist yet, or that of an earlier sweep's store"
        )
    if version != VERSION:
        raise ValueError(
            f"store: {str(path)!r} has version {version}, this program reads {VERSION}; it was "
            "left as it is. Give another file"
        )
    return False


def _point(row: tuple[str, ...], methods: tuple[type[Setting], ...]) -> Point:
    key, recipe, size, original, accuracy, seconds, words = row
    found = None if accuracy is None else _judged(json.loads(accuracy))
    made_by = recipe_from_json(recipe, methods)
    return Point(key, made_by, int(size), int(original), found, float(seconds), words)


def _judged(told: dict[str, Any]) -> Accuracy | Score:
    """Return accuracy, or the score of a metric, from what was kept of it."""
    return Score(**told) if "value" in told else Accuracy(**told)


class PointsNotKept(RuntimeWarning):
    """Points that were yielded are not in the store, which cannot be written."""


class Keeping:
    """Puts points into a store; those that it does not take wait, and are tried again.

    Warns PointsNotKept when the first point has to wait, and at the end, if some still do.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Point] = []
        self._reason = ""

    def put(self, point: Point) -> None:
        """Keep a point, at once or later; the more wait already, the less often it is tried."""
        self._waiting.append(point)
        n_waiting = len(self._waiting)
        if n_waiting & (n_waiting - 1) == 0:
            told = bool(self._reason)
            self._try()
            if self._waiting and not told:
                _warn(f"{self._reason}. The sweep goes on, and tries again to keep its points")

    def end(self) -> None:
        """Try a last time to keep what waits."""
        self._try()
        if self._waiting:
            _warn(
                f"{self._reason}. {len(self._waiting)} point(s) of the sweep are not kept there: "
                "all were yielded, but another sweep will measure these again. Make room, or give "
                "a store on another disk"
            )
            self._waiting.clear()

    def _try(self) -> None:
        """Put what waits into the store, as far as that goes."""
        try:
            while self._waiting:
                self._store.put(self._waiting[0])
                del self._waiting[0]
        except OSError as error:
            self._reason = str(error)


def _warn(words: str) -> None:
    warnings.warn(words, PointsNotKept, stacklevel=2)
