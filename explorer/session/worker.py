"""One background thread that always works on the latest job; older ones stop."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

SETTLE_S = 0.04
BACKGROUND_NICENESS = 10
Stale = Callable[[], bool]
Job = Callable[[Stale], None]


class LatestWins:
    """Runs one job at a time, once jobs stop coming in; a new job makes the running one stale.

    A job is called with ``stale``, which it asks between small pieces of work and
    returns as soon as it says True. One that raises is reported as an uncaught error
    of its thread, and the next one runs all the same.
    """

    def __init__(self, name: str) -> None:
        self._condition = threading.Condition()
        self._name = name
        self._next: Job | None = None
        self._thread: threading.Thread | None = None
        self._number = 0
        self._closed = False

    def submit(self, job: Job) -> None:
        """Make `job` the next one; whatever waits is dropped, whatever runs turns stale."""
        with self._condition:
            if self._closed:
                raise RuntimeError("the session is closed; make a new one")
            self._next = job
            self._number += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
                atexit.register(self.close)
            self._condition.notify_all()

    def close(self) -> None:
        """Stop after the current piece of work; nothing can be submitted any more.

        Also called when the interpreter ends, before it takes its threads down.
        """
        with self._condition:
            self._closed = True
            self._next = None
            self._number += 1
            self._condition.notify_all()
        atexit.unregister(self.close)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        yield_to_others()
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._next is not None or self._closed)
                self._settle()
                if self._closed:
                    return
                job, number, self._next = self._next, self._number, None
            if job is not None:
                self._work(job, number)

    def _settle(self) -> None:
        """Leave the processor to the hand while it moves."""
        while not self._closed:
            newest = self._number
            self._condition.wait(SETTLE_S)
            if newest == self._number:
                return

    def _work(self, job: Job, number: int) -> None:
        try:
            job(lambda: number != self._number)
        except Exception:
            threading.excepthook(
                threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread()))
            )


def yield_to_others() -> None:
    """Let every other thread and process go before this one, where the system can do that."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BACKGROUND_NICENESS)
