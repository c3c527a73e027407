"""A background thread that works on the latest job alone."""

from __future__ import annotations

import atexit
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from explorer.stopping import Stop

SETTLE_S = 0.04
BACKGROUND_NICENESS = 10
Job = Callable[[Stop], None]


class Closed(RuntimeError):
    """Work was handed to a worker that takes none any more."""


class LatestWins:
    """Runs one job at a time, once jobs stop coming in; a new job makes the running one stale.

    A job is called with ``stale``, which it asks between small pieces of work and
    returns as soon as it says True. One that raises is reported as an uncaught error
    of its thread, and the next one runs all the same; once the worker is closed, or a job
    comes upon another that is, what it worked for is gone, and so is the error.

    `name`: of its thread. `patience_s`: for how long, in seconds, jobs that keep coming in may put
    off the latest. `settle_s`: for how long, in seconds, none may come in before the latest is
    begun. One whose pieces of work are long waits until the hand rests.
    """

    def __init__(self, name: str, patience_s: float = math.inf, settle_s: float = SETTLE_S) -> None:
        self._patience_s, self._settle_s = patience_s, settle_s
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
                raise Closed("the session is closed; make a new one")
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                thread.start()
                self._thread = thread
                atexit.register(self.close)
            self._next = job
            self._number += 1
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
        end = time.monotonic() + self._patience_s
        while not self._closed and time.monotonic() < end:
            newest = self._number
            self._condition.wait(self._settle_s)
            if newest == self._number:
                return

    def _work(self, job: Job, number: int) -> None:
        try:
            job(lambda: number != self._number)
        except Closed:
            return
        except Exception:
            if self._closed:
                return
            threading.excepthook(
                threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread()))
            )


def yield_to_others() -> None:
    """Let every other thread and process go before this one, where the system can do that."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BACKGROUND_NICENESS)
