"""Kernels forked from a process that holds the imported libraries; see `explorer.serve.zygote`."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from explorer.serve.limits import hold
from explorer.serve.zygote import LAUNCHER, MOST_BYTES

__all__ = ["Forked", "ForkingProvisioner", "Zygote", "can_fork"]

ANSWER_SECONDS = 60.0


def can_fork() -> bool:
    """Tell whether kernels can be forked here: on Linux only."""
    return sys.platform == "linux"


class Forked:
    """A process forked elsewhere, with as much of ``subprocess.Popen`` as Jupyter asks for.

    `pipe`: file descriptor that reads end-of-file as soon as the process has ended.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._pipe = pipe
        self._ended = select.poll()
        self._ended.register(pipe, select.POLLIN | select.POLLHUP)

    def poll(self) -> int | None:
        """Return None while the process runs, then 0: how it ended is not known."""
        if self.returncode is None and self._ended.poll(0):
            self.returncode = 0
            os.close(self._pipe)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the process to end.

        Raises subprocess.TimeoutExpired if it has not after `timeout` seconds.
        """
        started = time.monotonic()
        while (status := self.poll()) is None:
            if timeout is not None and time.monotonic() - started > timeout:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.02)
        return status

    def send_signal(self, signum: int) -> None:
        """Send a signal, if the process still runs."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process."""
        self.send_signal(signal.SIGKILL)


class Zygote:
    """The process that kernels are forked from; it ends with the one that started it.

    `prepared`: what it imports or calls first, as `explorer.serve.zygote.main` takes it.
    `environment`: its environment variables.
    """

    closed = False

    def __init__(self, prepared: Sequence[str], environment: Mapping[str, str]) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.settimeout(ANSWER_SECONDS)
        self._lock = Lock()
        command = [sys.executable, "-m", "explorer.serve.zygote", str(theirs.fileno()), *prepared]
        with theirs:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                env=dict(environment),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def fork(
        self, command: Sequence[str], environment: Mapping[str, str], folder: str
    ) -> Forked | None:
        """Start a kernel; wait until all is imported, if that is not done yet.

        `command`: a kernel's command line that runs ``ipykernel_launcher``. `environment`: the
        kernel's environment variables. `folder`: its working folder. Returns: none if the process
        that should fork does not answer.
        """
        request = {"command": list(command), "environment": dict(environment), "folder": folder}
        encoded = json.dumps(request).encode()
        if len(encoded) > MOST_BYTES:
            return None
        with self._lock:
            if self.closed:
                return None
            try:
                self._channel.sendall(encoded)
                answer, pipes, _, _ = socket.recv_fds(self._channel, 64, 1)
            except OSError:
                self._channel.close()
                return None
        return Forked(int(answer), pipes[0]) if pipes else None

    def close(self) -> None:
        """End the process, and with it the kernels that still run."""
        self.closed = True
        self.process.kill()
        self.process.wait()
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._channel.close()


class ForkingProvisioner(LocalProvisioner):
    """Forks this Python's own kernels where it can, and starts others as usual."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel; see ``LocalProvisioner.launch_kernel``.

        Raises RuntimeError if the server is ending.
        """
        manager: Any = self.parent
        zygote: Zygote | None = getattr(manager.parent, "zygote", None)
        forked = None
        if zygote is not None and cmd[:3] == [sys.executable, "-m", LAUNCHER]:
            folder = str(kwargs.get("cwd") or Path.cwd())
            environment = kwargs.get("env") or os.environ
            forked = await asyncio.to_thread(zygote.fork, cmd, environment, folder)
        if zygote is not None and zygote.closed:
            raise RuntimeError("no kernel is started while the server ends")
        if forked is None:
            encoded = await super().launch_kernel(cmd, **kwargs)
            hold(self.pid, kwargs.get("env") or os.environ)
            return encoded
        self.process = cast("Any", forked)
        self.pid = self.pgid = forked.pid
        self.cwd = Path(folder)
        return self.connection_info
