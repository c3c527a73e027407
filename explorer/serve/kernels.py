"""The server's kernels: forked, one thread each, and ended when their visitor has gone."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import (
    AsyncMappingKernelManager,
    ServerKernelManager,
)
from traitlets import Bool, Float, Instance, Int, default

from explorer.room import BUDGET_VARIABLE
from explorer.serve.forking import ForkingProvisioner, Zygote
from explorer.serve.visit import Visits

__all__ = ["GONE", "Kernel", "Kernels", "one_thread"]

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

    Attributes
    ----------
    left_seconds : float
        A kernel that no page has been connected to for this long is ended.
    asleep_seconds : float
        So is one whose page is connected but has not been touched for this long.
    all_cores : bool
        Whether a kernel may compute with as many threads as there are cores, rather than one.
    memory_bytes : int
        How much memory a kernel may take beyond what is imported; 0 for as much as there is.
    visits : Visits
        Who is there.
    zygote : Zygote or None
        What kernels are forked from.
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
