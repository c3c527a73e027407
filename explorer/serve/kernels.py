"""The server's kernels, forked, one thread each, and the visitors who have them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import (
    AsyncMappingKernelManager,
    ServerKernelManager,
)
from traitlets import Bool, Float, Instance, Int, default

from explorer.memory_budget import BUDGET_VARIABLE
from explorer.serve.forking import ForkingProvisioner, Zygote


class NoRoom(Exception):
    """Everyone whom the server may hold is there already."""


class Visits:
    """The visitors who have a kernel, or are about to have one.

    `most`: how many there may be at a time.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._all: set[Visit] = set()

    def count(self, running: Kernels | Container[str]) -> int:
        """Return how many there are, forgetting those whose kernel no longer runs.

        `running`: the ids of the kernels that run.
        """
        self._all = {
            visit for visit in self._all if not visit.kernel_id or visit.kernel_id in running
        }
        return len(self._all)

    def owner(self, kernel_id: str) -> bytes | None:
        """Return the token of the visitor who has a kernel; None where nobody has it."""
        found = (visit.token for visit in self._all if visit.kernel_id == kernel_id)
        return next(found, None)

    @contextmanager
    def enter(self, kernels: Kernels, token: bytes = b"") -> Iterator[Visit]:
        """Let a visitor in, who stays if there is a kernel when the block ends.

        `token`: known to this visitor alone. Raises NoRoom if as many as may are there.
        """
        if self.count(kernels) >= self.most:
            raise NoRoom
        visit = Visit(kernels, token)
        self._all.add(visit)
        try:
            yield visit
        finally:
            if not visit.kernel_id:
                self._all.discard(visit)


class Visit:
    """The kernels as one visitor's page asks for them: it notes which the visitor has got.

    `kernel_id`: "" until there is one. `token`: known to this visitor alone.
    """

    def __init__(self, kernels: Kernels, token: bytes = b"") -> None:
        self.kernel_id, self.token = "", token
        self._kernels: Any = kernels

    @property
    def notebook_data(self) -> Any:
        """What is known of pages prepared in advance."""
        return self._kernels.notebook_data

    def get_pool_size(self, notebook_name: str) -> int:
        """Return how many kernels stand ready for a notebook."""
        return int(self._kernels.get_pool_size(notebook_name))

    def get_kernel(self, kernel_id: str) -> Any:
        """Return a kernel."""
        return self._kernels.get_kernel(kernel_id)

    async def start_kernel(self, **given: Any) -> str:
        """Start a kernel for this visitor."""
        self.kernel_id = await self._kernels.start_kernel(**given)
        return self.kernel_id

    async def get_rendered_notebook(self, notebook_name: str, **given: Any) -> Any:
        """Take a page that stands ready, passing over those whose kernel has ended.

        Raises NoRoom if none of them has a kernel; others are on their way.
        """
        while self._kernels.get_pool_size(notebook_name):
            found = await self._kernels.get_rendered_notebook(notebook_name=notebook_name, **given)
            if found[-1] in self._kernels:
                self.kernel_id = found[-1]
                self._kernels.expect(self.kernel_id)
                return found
        raise NoRoom

    async def leave(self) -> None:
        """End the visitor's kernel."""
        if self.kernel_id in self._kernels:
            await self._kernels.shutdown_kernel(self.kernel_id)


GONE = 4001
START_SECONDS = 2.0
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def one_thread() -> dict[str, str]:
    """Return the environment variables that hold a process to one thread of computing.

    A variable that the server was started with stays as it is.
    """
    return {name: os.environ.get(name, "1") for name in THREAD_VARIABLES}


class Kernel(ServerKernelManager):
    """One kernel, forked where that is possible."""

    traceback_replacement_message = "Something went wrong in this page's Python."

    async def _async_pre_start_kernel(self, **kwargs: Any) -> Any:
        if self.provisioner is None:
            self.provisioner = ForkingProvisioner(
                parent=self, kernel_id=self.kernel_id, kernel_spec=self.kernel_spec
            )
        return await super()._async_pre_start_kernel(**kwargs)


class Kernels(AsyncMappingKernelManager):
    """All kernels of a server.

    `left_seconds`: a kernel that no page has been connected to for this long is ended.
    `asleep_seconds`: so is one whose page is connected but has not been touched for this long.
    `all_cores`: whether a kernel may compute with as many threads as there are cores, rather than
    one. `memory_bytes`: how much memory a kernel may take beyond what is imported; 0 for as much as
    there is. `visits`: who is there. `zygote`: what kernels are forked from.
    """

    left_seconds = Float(120, config=True)
    asleep_seconds = Float(7200, config=True)
    all_cores = Bool(False, config=True)
    memory_bytes = Int(0, config=True)
    visits = Instance(Visits)
    zygote = Instance(Zygote, allow_none=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._alone_since: dict[str, float] = {}

    @default("kernel_manager_class")
    def _default_kernel_manager_class(self) -> str:
        return f"{__name__}.{Kernel.__name__}"

    async def start_kernel(self, **kwargs: Any) -> str:  # type: ignore[override]
        """Start a kernel; see ``MappingKernelManager.start_kernel``."""
        environment = dict(kwargs.pop("env", None) or os.environ)
        if not self.all_cores:
            environment |= one_thread()
        if self.memory_bytes:
            environment[BUDGET_VARIABLE] = str(self.memory_bytes)
        kernel_id = await super().start_kernel(env=environment, **kwargs)
        self.expect(kernel_id)
        return kernel_id

    def expect(self, kernel_id: str) -> None:
        """Count the time that a kernel waits for its page from now on."""
        self._alone_since[kernel_id] = time.monotonic()

    def notify_connect(self, kernel_id: str) -> None:
        """Note that a page is connected to a kernel."""
        super().notify_connect(kernel_id)
        self._alone_since.pop(kernel_id, None)

    def notify_disconnect(self, kernel_id: str) -> None:
        """Note that a page is no longer connected to a kernel."""
        super().notify_disconnect(kernel_id)
        if kernel_id in self and not self._kernel_connections.get(kernel_id):
            self.expect(kernel_id)

    def remove_kernel(self, kernel_id: str) -> Any:
        """Forget a kernel that has ended."""
        self._alone_since.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)

    async def shutdown_all(self, now: bool = False) -> None:  # type: ignore[override]
        """End all kernels, having waited a moment for those that are still starting."""
        starting = list(self._pending_kernels.values())
        if starting:
            await asyncio.wait(starting, timeout=START_SECONDS)
        ending = [self.shutdown_kernel(each, now=now) for each in self.list_kernel_ids()]
        for problem in await asyncio.gather(*ending, return_exceptions=True):
            if isinstance(problem, Exception):
                self.log.info("a kernel had ended already: %s", problem)

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """End a kernel that its visitor has left or forgotten, and tell its page, if any."""
        if self._left(kernel_id) or self._asleep(kernel_id):
            await self.shutdown_kernel(kernel_id)
            hang_up(kernel_id)

    def _left(self, kernel_id: str) -> bool:
        since = self._alone_since.get(kernel_id)
        return since is not None and time.monotonic() - since > self.left_seconds

    def _asleep(self, kernel_id: str) -> bool:
        kernel = self._kernels[kernel_id]
        starting = not kernel.trait_has_value("last_activity")
        if starting or kernel.execution_state == "busy":
            return False
        return time.time() - kernel.last_activity.timestamp() > self.asleep_seconds


def hang_up(kernel_id: str) -> None:
    """Close the websockets that are open to a kernel."""
    for connection in list(ZMQChannelsWebsocketConnection._open_sockets):
        if connection.kernel_id == kernel_id:
            connection.websocket_handler.close(GONE, "the kernel has ended")
