"""Hands recipes to an executor and takes the points back, whatever becomes of its workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from queue import Empty, SimpleQueue

from explorer.compress.networks.recipe import Recipe
from explorer.sweep.distribution import Delivery
from explorer.sweep.point import Point
from explorer.sweep.task import Lacking, Task, run_task
from explorer.sweep.workers import MAX_WAITING, WorkerProcesses, starts

POLL_S = 0.05
UNABLE = (
    "worker processes end as they start. A script must begin its sweep under "
    '`if __name__ == "__main__":`, for each worker imports the script'
)
Answer = Future[Point | Lacking | None]
DIED = "the worker process died while it measured this recipe, alone (out of memory?)"


class SweepIncomplete(RuntimeError):
    """Some points are missing, for their workers are gone; all others were yielded and kept."""

    def __init__(self, missing: Sequence[Recipe], reason: str) -> None:
        self.missing = tuple(missing)
        super().__init__(
            f"{len(missing)} point(s) of the sweep are missing, for workers failed: {reason}. "
            "The others are done; sweep again to add these (with the same store, where one was "
            "given, only these are computed)"
        )


class Dispatch:
    """The recipes of one sweep on their way to workers and back.

    `delivery`: how workers come by the network.
    """

    def __init__(self, executor: Executor, delivery: Delivery, tasks: Iterable[Task]) -> None:
        self._executor = executor
        self._delivery = delivery
        self._waiting = deque(tasks)
        self._suspects: deque[Task] = deque()
        self._running: dict[Answer, Task] = {}
        self._done: SimpleQueue[Answer] = SimpleQueue()
        self._trial: Answer | None = None
        self._answered = False
        self._missing: list[Recipe] = []
        self._reason = ""

    def points(self, should_stop: Callable[[], bool]) -> Iterator[Point]:
        """Yield points as they finish.

        Raises SweepIncomplete at the end, if workers failed for good.
        """
        try:
            while self._waiting or self._suspects or self._running:
                if should_stop():
                    return
                self._submit()
                point = self._next()
                if point is not None:
                    yield point
        finally:
            for future in self._running:
                future.cancel()
        self._missing += [task.recipe for task in self._delivery.held]
        if self._missing:
            raise SweepIncomplete(self._missing, self._reason)

    @property
    def _room(self) -> int:
        """How many recipes may be with the workers at once: one where that one may kill."""
        if self._suspects or self._trial in self._running:
            return 1
        executor = self._executor
        return 2 * executor.n_workers if isinstance(executor, WorkerProcesses) else MAX_WAITING

    def _submit(self) -> None:
        while (self._suspects or self._waiting) and len(self._running) < self._room:
            suspected = bool(self._suspects)
            task = (self._suspects or self._waiting).popleft()
            try:
                future = self._executor.submit(run_task, task)
            except RuntimeError as error:
                self._lose(task, error)
                continue
            self._trial = future if suspected else None
            self._running[future] = task
            future.add_done_callback(self._done.put)

    def _next(self) -> Point | None:
        """Wait a little for the next answer; None where it is not a point."""
        try:
            future = self._done.get(timeout=POLL_S)
        except Empty:
            return None
        task = self._running.pop(future, None)
        if task is None:
            return None
        error = CancelledError("cancelled") if future.cancelled() else future.exception()
        answer = None if error else future.result()
        self._answered |= error is None
        self._waiting.extendleft(self._delivery.after(task, answer))
        if error is not None:
            return self._failed(future, task, error)
        return answer if isinstance(answer, Point) else None

    def _failed(self, future: Answer, task: Task, error: BaseException) -> Point | None:
        """Start dead workers again; a recipe that kills one twice fails, others are tried anew."""
        executor = self._executor
        if not isinstance(executor, WorkerProcesses) or not isinstance(error, BrokenExecutor):
            self._lose(task, error)
            return None
        broken = [f for f in self._running if not f.done() or f.exception() is not None]
        self._suspects.extend(self._running.pop(f) for f in broken)
        executor.restart()
        if not self._answered and not starts(executor):
            self._give_up(task)
            return None
        if future is self._trial:
            return Point(task.key, task.recipe, 0, self._delivery.original_bytes, None, 0.0, DIED)
        self._suspects.append(task)
        return None

    def _give_up(self, task: Task) -> None:
        """Leave everything, for no worker so much as starts."""
        left = [task, *self._suspects, *self._waiting]
        self._missing += [one.recipe for one in left]
        self._suspects.clear()
        self._waiting.clear()
        self._reason = UNABLE

    def _lose(self, task: Task, error: BaseException) -> None:
        self._missing.append(task.recipe)
        self._reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
