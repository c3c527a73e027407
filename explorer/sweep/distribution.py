"""Distribution: network and data on their way to the workers."""

from __future__ import annotations

import pickle
import sys
import uuid
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from explorer.measure.metric import Metric
from explorer.sweep.measurement import Measurement
from explorer.sweep.point import Point
from explorer.sweep.task import SHELF, Address, Lacking, Loader, Task, content_key, pack

FILE = "sweep.pt"


class Delivery:
    """Network and data of one sweep, on their way to the workers.

    Threads find them in place. Processes read a file, mapped, so that those on one
    machine share its memory. A worker that does not see the file says so, and gets the
    bytes with the next recipe: one parcel for each worker that asks, while the other
    recipes that came back wait.

    `home`: under which this process holds it. `folder`: where the file goes. `saliency`: whether
    recipes go by second derivatives, which then travel along. `loader`: with which workers load
    both by themselves.
    """

    def __init__(
        self,
        subject: Measurement,
        home: str,
        folder: Path,
        *,
        saliency: bool,
        loader: Loader | None,
    ) -> None:
        self._subject = subject
        self._saliency = saliency
        self._file = folder / FILE
        content = content_key(subject, saliency=saliency)
        travels = None if loader is None else subject.metric
        torchvision = "torchvision" in sys.modules
        self.address = Address(home, content, "", loader, saliency, torchvision, travels)
        self._unsendable: ValueError | None = None
        self._asked: set[str] = set()
        self._held: deque[Task] = deque()

    @property
    def original_bytes(self) -> int:
        """Bytes of every parameter and buffer of the network."""
        return self._subject.network.original_bytes

    @property
    def held(self) -> tuple[Task, ...]:
        """Tasks that wait for a parcel to arrive."""
        return tuple(self._held)

    def write(self) -> None:
        """Write the file that workers read; where that cannot be, tell once one asks for it."""
        try:
            pack(self._subject, self._file, saliency=self._saliency)
        except ValueError as error:
            self._unsendable = error
        else:
            self.address = replace(self.address, path=str(self._file))

    def after(self, task: Task, answer: Point | Lacking | None) -> list[Task]:
        """Return the tasks to submit again once `task` was answered.

        `answer`: none where it failed. Raises ValueError if a worker can make nothing of the
        network.
        """
        again: list[Task] = []
        if task.parcel:
            again += self._held
            self._held.clear()
            self._asked.clear()
        if isinstance(answer, Lacking):
            if task.parcel or self._unsendable:
                raise self._unsendable or ValueError(
                    f"net or data: workers cannot rebuild them ({answer.reason}): define their "
                    "classes at the top of a module that workers can import, or sweep in threads"
                )
            if answer.worker in self._asked:
                self._held.append(task)
            else:
                self._asked.add(answer.worker)
                again.append(replace(task, parcel=self._bytes()))
        return again

    def _bytes(self) -> bytes:
        if not self._file.is_file():
            pack(self._subject, self._file, saliency=self._saliency)
        return self._file.read_bytes()


@contextmanager
def delivery(
    subject: Measurement,
    executor: Executor,
    *,
    saliency: bool,
    folder: str | Path | None,
    loader: Loader | None,
) -> Iterator[Delivery]:
    """Hold a network ready for the workers of an executor.

    `saliency`: whether recipes go by second derivatives. `folder`: where the file for processes
    goes, in a folder of its own; by default among the temporary files of this machine. `loader`:
    with which workers load network and data by themselves; no file is written then.
    """
    home = uuid.uuid4().hex
    SHELF.lay(home, subject)
    try:
        with TemporaryDirectory(prefix="sweep-", dir=folder, ignore_cleanup_errors=True) as own:
            sent = Delivery(subject, home, Path(own), saliency=saliency, loader=loader)
            if not isinstance(executor, ThreadPoolExecutor):
                if loader is None:
                    sent.write()
                else:
                    _check_travels(subject.metric)
            yield sent
    finally:
        subject.stopped.set()
        SHELF.clear(home)


def _check_travels(metric: Metric | None) -> None:
    """Raise ValueError where a metric cannot go to another process."""
    try:
        pickle.dumps(metric)
    except Exception as error:
        raise ValueError(
            f"metric cannot be sent to worker processes ({error}): define its function at the top "
            "of a module that workers can import, or sweep in threads"
        ) from error
