"""A server of our pages, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from explorer.serve.access import ADDRESS
from explorer.serve.server import any_free_port

__all__ = ["Hosted", "hosted"]


@dataclass(frozen=True)
class Hosted:
    """A server that runs.

    `root`: address of the front page, ending in a slash. `page`: address of the explorer's page.
    `pid`: the server's process.
    """

    root: str
    page: str
    pid: int


@contextmanager
def hosted(**options: Any) -> Iterator[Hosted]:
    """Run our server on a free port in a process of its own, and end it.

    `**options`: arguments of `explorer.serve.server.serve` with a short ``repr``; ``notebook`` as
    text. Raises RuntimeError if the server ends before it tells its address.
    """
    notebook = options.pop("notebook", None)
    first = f"Path({str(notebook)!r})" if notebook is not None else "None"
    call = f"serve({any_free_port()}, False, notebook={first}, **{options!r})"
    source = f"from pathlib import Path\nfrom explorer.serve.server import serve\n{call}"
    command = [sys.executable, "-c", source]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield _told(server)
        finally:
            server.terminate()


def _told(server: subprocess.Popen[str]) -> Hosted:
    line = server.stdout.readline() if server.stdout else ""
    found = [word for word in line.split() if word.startswith(f"http://{ADDRESS}")]
    if len(found) < 2:
        raise RuntimeError(f"the server was expected to tell two addresses, it told {line!r}")
    return Hosted(root=found[1], page=found[0], pid=server.pid)
