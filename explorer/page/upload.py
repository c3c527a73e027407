"""Opening a file from the visitor's machine, without a doubt about what it may do."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from explorer.errors import error_message
from explorer.page.open import DECODED_TIMES, KINDS, Again, Opened, check_beginning, open_file
from explorer.session import Session
from explorer.session.latest_wins import LatestWins
from explorer.stopping import Stop
from explorer.views.browser import PART_BYTES, FilePickerView
from explorer.views.format import size_text

LIMIT_VARIABLE = "EXPLORER_MAX_UPLOAD_MB"
LIMIT_MB = 64.0
LONGEST_NAME = 80
ACCEPT = ".safetensors,.cmpx"


@dataclass
class _Incoming:
    """A file on its way: what it is called, its size, and what has arrived."""

    name: str
    size: int
    content: bytearray = field(default_factory=bytearray)


def upload_limit() -> int:
    """Return the most bytes of a file that is opened, as ``EXPLORER_MAX_UPLOAD_MB`` says.

    Returns: 64,000,000 where it says nothing; 0 where no file shall be opened. Raises ValueError if
    it is no number of megabytes.
    """
    told = os.environ.get(LIMIT_VARIABLE, "").strip() or str(LIMIT_MB)
    try:
        n_bytes = int(float(told) * 1_000_000)
    except (ValueError, OverflowError):
        n_bytes = -1
    if n_bytes < 0:
        raise ValueError(
            f"{LIMIT_VARIABLE} must be a number of megabytes, such as 64, or 0 to open no files; "
            f"got {told!r:.40}"
        )
    return n_bytes


def plain_name(name: str) -> str:
    r"""Return the last part of a file's name, printable and short, for showing only.

    Examples
    --------
    >>> plain_name("../../etc/net.cmpx"), plain_name("\x00\n")
    ('net.cmpx', 'file')
    """
    last = name[-1000:].replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(letter for letter in last if letter.isprintable()).strip()
    return shown[-LONGEST_NAME:] or "file"


class UploadPanel:
    """A button that opens a file; its parts are asked for one by one, and read in the background.

    `shown`: returns the session that is shown. `started`: called with what is under way, in words,
    and the share done or None. `opened`: called from the background thread with an `Opened`, and
    with what makes its session again. `failed`: called with an error in words. `limit_bytes`:
    larger files are refused before any of their content is sent; by default `upload_limit`.
    """

    def __init__(
        self,
        shown: Callable[[], Session],
        started: Callable[[str, float | None], None],
        opened: Callable[[Opened, Again], None],
        failed: Callable[[str], None],
        limit_bytes: int | None = None,
    ) -> None:
        self._shown, self._started, self._opened, self._failed = shown, started, opened, failed
        self._limit = upload_limit() if limit_bytes is None else limit_bytes
        self._incoming: _Incoming | None = None
        self._worker = LatestWins("explorer-upload")
        self._numbers = count(1)
        hint = f"Open {KINDS}, of at most {size_text(self._limit)}."
        self._view = FilePickerView(ACCEPT, hint, self._begin, self._part, self._lost)
        self.widget = self._view.widget
        if not self._limit:
            self.widget.add_class("ex-hidden")

    def close(self) -> None:
        """Stop the background work, and release the widget."""
        self._incoming = None
        self._worker.close()
        self._view.close()

    def _begin(self, name: str, size: int) -> None:
        file = _Incoming(plain_name(name), size)
        if size < 1:
            self._refuse(f"{file.name} is empty.")
        elif size > self._limit:
            self._refuse(
                f"{file.name} has {size_text(size)}, more than the {size_text(self._limit)} that "
                "are opened here. Run the explorer on your own machine, and give it the network: "
                "ex.Explorer(net, data)."
            )
        else:
            self._incoming = file
            self._ask(file)

    def _part(self, offset: int, part: bytes) -> None:
        file = self._incoming
        if file is None or offset != len(file.content):
            return
        end = min(file.size, offset + PART_BYTES)
        if offset + len(part) != end:
            self._refuse(f"{file.name} changed while it was sent; open it again.")
            return
        try:
            if offset == 0:
                check_beginning(file.name, part)
            file.content += part
        except (ValueError, MemoryError) as error:
            self._refuse(error_message(error))
            return
        if end < file.size:
            self._ask(file)
            return
        self._incoming = None
        self._view.stop()
        self._worker.submit(lambda stale: self._open(file, stale))

    def _ask(self, file: _Incoming) -> None:
        done = len(file.content)
        self._started(f"Reading {file.name}\N{HORIZONTAL ELLIPSIS}", done / file.size)
        self._view.ask(done)

    def _lost(self, words: str) -> None:
        if self._incoming is not None:
            self._refuse(
                f"{self._incoming.name} could not be read on ({words:.40}); open it again."
            )

    def _refuse(self, words: str) -> None:
        self._incoming = None
        self._view.stop()
        self._failed(words)

    def _open(self, file: _Incoming, stale: Stop) -> None:
        """Open what has arrived; the page stays as it is if that goes wrong."""
        self._started(f"Opening {file.name}\N{HORIZONTAL ELLIPSIS}", None)
        limit = DECODED_TIMES * self._limit
        label = f"{file.name} (opened here, {next(self._numbers)})"
        try:
            found = open_file(file.name, bytes(file.content), self._shown(), limit, label)
        except Exception as error:
            self._failed(f"{file.name} could not be opened. {error_message(error)}")
            return
        if stale():
            found[0].session.close()
        else:
            self._opened(*found)
