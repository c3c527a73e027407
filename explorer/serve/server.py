"""Serve the page on a free port."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path

from explorer.serve.access import ADDRESS, names_of
from explorer.serve.application import Server
from explorer.serve.configuration import LEFT_SECONDS, configuration
from explorer.serve.forking import can_fork
from explorer.serve.handlers import APP
from explorer.serve.limits import kernel_bytes, memory_bytes, most_visitors
from explorer.serve.page import SHARE, notebook_path

DEFAULT_PORT = 8866


def choose_port(port: int | None = None) -> int:
    """Return a port of the loopback address that nothing listens on.

    `port`: the port wanted. Without it, 8866 if that is free, else any free port. Returns: the
    port, in [1, 65535]. Raises ValueError if `port` is out of range, not allowed, or taken.
    """
    if port is None:
        return DEFAULT_PORT if _problem(DEFAULT_PORT) is None else any_free_port()
    if not 1 <= port <= 65535:
        raise ValueError(f"port must be in [1, 65535], got {port}: leave it out to have one chosen")
    problem = _problem(port)
    if problem is not None:
        raise ValueError(
            f"port must be free to listen on, got {port} ({problem}): "
            "give another, or leave it out to have one chosen"
        )
    return port


def _problem(port: int) -> str | None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((ADDRESS, port))
        except OSError as error:
            return error.strerror
    return None


def any_free_port() -> int:
    """Return a port that nothing listens on, another one at nearly every call."""
    with socket.socket() as trial:
        trial.bind((ADDRESS, 0))
        return int(trial.getsockname()[1])


def serve(
    port: int,
    open_browser: bool = True,
    model: str | None = None,
    weights: str | None = None,
    notebook: Path | None = None,
    *,
    max_kernels: int | None = None,
    kernel_memory: int | None = None,
    n_ready: int = 1,
    left_seconds: float = LEFT_SECONDS,
    address: str = ADDRESS,
    hosts: Iterable[str] = (),
) -> None:
    """Serve the explorer's page and the chapters beside it until interrupted.

    `port`: the port to listen on. `open_browser`: whether to open the page in the user's browser
    once it answers. `model`: name of the network that the page starts with, one of
    ``explorer.catalog()``. Pages read it from the environment variable ``EXPLORER_MODEL``.
    `weights`: ``"default"``, ``"random"`` or the path of a safetensors file, read from
    ``EXPLORER_WEIGHTS`` likewise. `notebook`: another page to start with; the notebooks of its
    folder are served in the same way. `max_kernels`: how many visitors there may be at a time; one
    more is told so, and let in when somebody leaves. By default as many as the memory has room for.
    `kernel_memory`: how many bytes each kernel may take beyond what is imported; by default a part
    of the memory for each visitor. The system enforces it on Linux. `n_ready`: default 1; how many
    pages are made in advance, so that they open at once. `left_seconds`: default 120; a kernel is
    ended when no page has been connected to it for so long; a page that is closed ends its kernel
    at once. `address`: the address to listen on. Any other than the loopback address lets the
    network in. `hosts`: names and addresses that visitors type, besides ``localhost``; requests for
    others are refused. Raises ValueError if `max_kernels` is not positive, `n_ready` is negative,
    or one of `hosts` is no name.
    """
    if max_kernels is not None and max_kernels < 1:
        raise ValueError(f"max_kernels must be 1 or more, got {max_kernels}: leave it out to fit")
    if n_ready < 0:
        raise ValueError(f"n_ready must be 0 or more, got {n_ready}: 0 makes no page in advance")
    hosts = tuple(hosts)
    names_of(hosts, address)
    most = max_kernels or most_visitors(memory_bytes(), can_fork())
    known = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join([str(SHARE), *([known] if known else [])])
    given = {"EXPLORER_MODEL": model, "EXPLORER_WEIGHTS": weights}
    os.environ.update({name: value for name, value in given.items() if value is not None})
    first = notebook or notebook_path()
    server = Server(
        config=configuration(
            port,
            open_browser,
            notebook=first.name,
            max_kernels=most,
            kernel_memory=kernel_memory or kernel_bytes(memory_bytes(), most),
            n_ready=n_ready,
            left_seconds=left_seconds,
            address=address,
        ),
        root_dir=str(first.parent.resolve()),
    )
    server.most_visitors, server.hosts = most, hosts
    if first.name != APP:
        server.start_page = f"voila/render/{first.name}"
    server.initialize([])
    server.start()
