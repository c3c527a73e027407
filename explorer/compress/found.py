"""What installed packages add, by Python entry points."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple


class Found(NamedTuple):
    """What entry points gave.

    Attributes
    ----------
    things : tuple of (str, object)
        Each with the words that say where it is from.
    failures : tuple of str
        What could not be loaded, in words.
    """

    things: tuple[tuple[str, Any], ...]
    failures: tuple[str, ...]


def found(group: str, check: Callable[[Any], None]) -> Found:
    """Load the entry points of a group; what fails is told, not raised.

    Packages that are installed, or changed, while Python runs are seen after a restart.

    Parameters
    ----------
    group : str
    check : callable
        Raises TypeError or ValueError for a thing that is not what it should be.

    Returns
    -------
    Found
        An entry point gives one thing, or a tuple of them.
    """
    return _found(group, check, tuple(sys.path))


@lru_cache(maxsize=8)
def _found(group: str, check: Callable[[Any], None], _path: tuple[str, ...]) -> Found:
    from importlib.metadata import entry_points

    things: list[tuple[str, Any]] = []
    failures: list[str] = []
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, point.value)):
        package = point.dist.name if point.dist else "an unknown package"
        origin = f"{point.name!r} of {package}"
        try:
            loaded = point.load()
            given = loaded if isinstance(loaded, tuple) else (loaded,)
            for thing in given:
                check(thing)
        except Exception as error:
            failures.append(f"{origin} could not be loaded: {error} ({type(error).__name__})")
        else:
            things += [(origin, thing) for thing in given]
    return Found(tuple(things), tuple(failures))
