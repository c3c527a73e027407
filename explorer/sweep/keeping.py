"""Points on their way into a store that may have no room, or may be busy, for a while."""

from __future__ import annotations

import warnings

from explorer.sweep.points import Point
from explorer.sweep.store import Store


class PointsNotKept(RuntimeWarning):
    """Points that were yielded are not in the store, which cannot be written."""


class Keeping:
    """Puts points into a store; those that it does not take wait, and are tried again.

    Parameters
    ----------
    store : Store

    Warns
    -----
    PointsNotKept
        When the first point has to wait, and at the end, if some still do.
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
