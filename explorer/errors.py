"""error_message: errors as a person reads them."""

from __future__ import annotations

import errno
import os

from explorer.memory_budget import NotEnoughMemory

NO_MEMORY = (
    "there is not enough memory for this; what was reached is kept. Undo the last change, or "
    "choose a smaller network"
)
OUT_OF_MEMORY = ("std::bad_alloc", "can't allocate memory", os.strerror(errno.ENOMEM))
NO_ROOM = "the disk is full; make room and try again"
INTERRUPTED = "it was interrupted; what was reached is kept"


def error_message(error: BaseException) -> str:
    """Say what went wrong, also where the error itself has no words.

    Examples
    --------
    >>> error_message(ValueError("rank must be positive")), error_message(KeyError("fc1"))
    ('rank must be positive', 'fc1')
    """
    if _is_out_of_memory(error):
        return NO_MEMORY
    if _is_full(error):
        return NO_ROOM
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    told = error.args[0] if isinstance(error, KeyError) and error.args else error
    return str(told) or type(error).__name__


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out; compiled libraries tell it in their own errors."""
    if isinstance(error, NotEnoughMemory):
        return False
    told = str(error)
    return isinstance(error, MemoryError) or any(words in told for words in OUT_OF_MEMORY)


def _is_full(error: BaseException) -> bool:
    """Whether a disk is full; libraries that write by themselves tell it in their own errors."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno == errno.ENOSPC
    return os.strerror(errno.ENOSPC) in str(error)
