"""Where recipes are measured: threads or processes of one's own, or any other executor."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Any

import torch

MAX_WAITING = 512


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class WorkerProcesses(Executor):
    """Worker processes that a sweep starts again when one of them dies.

    Parameters
    ----------
    n_workers : int, optional
        As many as there are cores by default.

    Raises
    ------
    ValueError
        If `n_workers` is below 1.
    """

    def __init__(self, n_workers: int | None = None) -> None:
        self.n_workers = n_cores() if n_workers is None else n_workers
        if self.n_workers < 1:
            raise ValueError(f"n_workers: expected a whole number from 1 up, got {n_workers!r}")
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self.n_workers, get_context("spawn"), _begin_worker)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a worker call ``fn(*args, **kwargs)``."""
        return self._pool.submit(fn, *args, **kwargs)

    def restart(self) -> None:
        """Put fresh workers in the place of those there are."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._new()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers, as `concurrent.futures.Executor.shutdown`."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def starts(executor: Executor) -> bool:
    """Whether an executor's workers start and answer."""
    try:
        executor.submit(os.getpid).result()
    except BrokenExecutor:
        return False
    return True


def _begin_worker() -> None:
    """Leave the keyboard to the parent, and end when it is gone, however it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if (parent := parent_process()) is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


@contextmanager
def threads(n_workers: int | None = None) -> Iterator[ThreadPoolExecutor]:
    """Lend threads, each of which computes on one core; as many as there are cores by default."""
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(
        n_workers or n_cores(),
        thread_name_prefix="sweep",
        initializer=torch.set_num_threads,
        initargs=(1,),
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)
