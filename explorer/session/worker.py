"""One background thread that always works on the latest job; older ones stop."""

from __future__ import annotations

import atexit
import sys
import threading
from collections.abc import Callable

Stale = Callable[[], bool]
Job = Callable[[Stale], None]


class LatestWins:
    """Runs one job at a time; a new job makes the running one stale.

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
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._next is not None or self._closed)
                if self._closed:
                    return
                job, number, self._next = self._next, self._number, None
            if job is not None:
                self._work(job, number)

    def _work(self, job: Job, number: int) -> None:
        try:
            job(lambda: number != self._number)
        except Exception:
            threading.excepthook(
                threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread()))
            )
