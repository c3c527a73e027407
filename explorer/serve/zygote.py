"""Zygote: the process that loads the package once, and forks kernels."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from explorer.serve.limits import hold_self

PREPARED = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipywidgets:register_comm_target",
    "explorer.page.served",
    "explorer.zoo:catalog",
    "explorer.serve.zygote:use_once",
)
NETWORK = "lenet-300-100"


def use_once() -> None:
    """Compress a bundled network, so that compiled loops and libraries are loaded."""
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    explorer: Any = import_module("explorer")
    net, data = explorer.load(NETWORK)
    recipe = [explorer.Prune(sparsity=0.5), explorer.Share(n_clusters=32)]
    small = explorer.compress(net, recipe)
    explorer.evaluate(small.restore(), data.eval)


LAUNCHER = "ipykernel_launcher"
MOST_BYTES = 1 << 20


def main(arguments: list[str]) -> None:
    """Import, then fork kernels until the other end of the socket is closed.

    `arguments`: the number of an inherited socket, then what to prepare: modules, or functions of
    no arguments as ``module:function``.
    """
    channel = socket.socket(fileno=int(arguments[0]))
    for target in arguments[1:]:
        _prepare(target)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while data := channel.recv(MOST_BYTES):
        request = json.loads(data)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            channel.close()
            _become_kernel(**request)
            return
        os.close(writing)
        socket.send_fds(channel, [str(pid).encode()], [reading])
        os.close(reading)


def _prepare(target: str) -> None:
    name, _, function = target.partition(":")
    module = import_module(name)
    if function:
        getattr(module, function)()


def _become_kernel(command: list[str], environment: dict[str, str], folder: str) -> None:
    """Run as the kernel that `command` describes; its pipe's end stays open until it has ended."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    hold_self(environment)
    os.chdir(folder)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    arguments = command[command.index(LAUNCHER) + 1 :]
    sys.argv = [LAUNCHER, *arguments]
    _use_threads()
    kernelapp: Any = import_module("ipykernel.kernelapp")
    parent = f"--IPKernelApp.parent_handle={os.getppid()}"
    kernelapp.launch_new_instance(argv=[*arguments, parent, "--log-level=ERROR"])


def _use_threads() -> None:
    torch = sys.modules.get("torch")
    if torch is not None:
        wanted = os.environ.get("OMP_NUM_THREADS", "")
        torch.set_num_threads(int(wanted) if wanted.isdecimal() else len(os.sched_getaffinity(0)))


if __name__ == "__main__":
    if Path(sys.path[0]).resolve() == Path.cwd():
        del sys.path[0]
    main(sys.argv[1:])
