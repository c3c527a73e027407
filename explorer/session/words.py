"""Errors as a person reads them."""

from __future__ import annotations

import errno

NO_MEMORY = (
    "there is not enough memory for this; what was reached is kept. Undo the last change, or "
    "choose a smaller network"
)
NO_ROOM = "the disk is full; make room and try again"
INTERRUPTED = "it was interrupted; what was reached is kept"


def in_words(error: BaseException) -> str:
    """Say what went wrong, also where the error itself has no words.

    Examples
    --------
    >>> in_words(ValueError("rank must be positive")), in_words(KeyError("fc1"))
    ('rank must be positive', 'fc1')
    """
    if isinstance(error, MemoryError) and not str(error):
        return NO_MEMORY
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return NO_ROOM
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    told = error.args[0] if isinstance(error, KeyError) and error.args else error
    return str(told) or type(error).__name__
