"""Stop: a callable that long work asks whether to end."""

from __future__ import annotations

from collections.abc import Callable

Stop = Callable[[], bool]


def never() -> bool:
    """Go on to the end."""
    return False
