"""A run of records in the background that can be paused, resumed and stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Generic, TypeVar

import torch

from explorer.session.latest_wins import yield_to_others

T = TypeVar("T")


class State(Enum):
    """What a run is doing."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


ACTIVE = frozenset({State.RUNNING, State.PAUSED})


class BackgroundRun(Generic[T]):
    """Takes records from an iterator, one after the other, in a thread of low priority.

    `arrived`: called with each record, from the thread. `changed`: called with the run whenever its
    state changes. What it raises at the end of a run ends in `error`, as nobody else would tell of
    it. `error`: what ended the run, where it failed.
    """

    def __init__(
        self, arrived: Callable[[T], None], changed: Callable[[BackgroundRun[T]], None]
    ) -> None:
        self._arrived, self._changed = arrived, changed
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._state = State.IDLE
        self.error: BaseException | None = None

    @property
    def state(self) -> State:
        """What the run is doing."""
        return self._state

    @property
    def active(self) -> bool:
        """Whether there is something to pause or stop."""
        return self._state in ACTIVE

    def start(self, records: Iterator[T]) -> None:
        """Begin to take records. Raises RuntimeError if a run is under way."""
        with self._condition:
            if self.active:
                raise RuntimeError("a run is under way; stop it before the next one")
            self.error = None
            self._state = State.RUNNING
        thread = threading.Thread(
            target=self._run, args=(records,), name="explorer-training", daemon=True
        )
        self._changed(self)
        thread.start()
        self._thread = thread

    def pause(self) -> None:
        """Stop taking records until `resume`."""
        self._move({State.RUNNING}, State.PAUSED)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._move({State.PAUSED}, State.RUNNING)

    def stop(self) -> None:
        """End the run after the record at hand; what was reached stays."""
        self._move(ACTIVE, State.STOPPED)

    def join(self, timeout: float | None = None) -> State:
        """Wait until the run has ended, and return its state.

        Raises TimeoutError if it has not ended in time.
        """
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
            if thread.is_alive():
                raise TimeoutError(f"the run has not ended after {timeout} s")
        return self._state

    def _move(self, before: Set[State], after: State) -> None:
        """Change the state, unless it has changed to another meanwhile."""
        with self._condition:
            if self._state not in before:
                return
            self._state = after
            self._condition.notify_all()
        self._changed(self)

    def _run(self, records: Iterator[T]) -> None:
        yield_to_others()
        try:
            self._take(records)
            self._move(ACTIVE, State.DONE)
        except BaseException as error:
            # An interrupt as well: nobody else would tell that the thread has ended.
            self.error = error
            with suppress(Exception):
                self._move(set(State), State.FAILED)

    def _take(self, records: Iterator[T]) -> None:
        """Take records until there is no more, or the run is stopped."""
        try:
            for record in records:
                self._arrived(record)
                if not self._may_go_on():
                    break
        finally:
            close = getattr(records, "close", None)
            if close is not None:
                close()

    def _may_go_on(self) -> bool:
        with self._condition:
            self._condition.wait_for(lambda: self._state is not State.PAUSED)
            return self._state is State.RUNNING


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch work on a single thread in this one; the others keep theirs.

    Torch takes the number over for threads that are yet to come; a short-lived one
    sets it back for them.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    other = threading.Thread(target=torch.set_num_threads, args=(before,))
    other.start()
    other.join()
    try:
        yield
    finally:
        torch.set_num_threads(before)
