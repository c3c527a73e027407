"""The scripts that a page starts with, joined into one, so that it does not ask for a hundred.

Voila's front end and the widgets' extensions are built by webpack, in chunks that are asked for as
they are needed. A chunk only puts its modules on a list, which the loader reads first: chunks that
have run already are not asked for again. So those that every page needs run from one file, which
is kept packed, and which browsers keep. Where the file is missing, the page opens all the same.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated
from voila.paths import collect_static_paths
from voila.utils import get_voila_labextensions_path

from explorer.serve.page import TEMPLATE

ADDRESS = r"/voila/opening/([0-9a-f]{16})\.js"
EXTENSIONS = (
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
    "bqplot",
    "bqscales",
)
MAIN, STYLE, CHUNK = "voila.js", "voila-style.js", "{}.voila.js"
LOADED = re.compile(r"\.e\((\d+)\)")
KEPT_SECONDS = 365 * 24 * 3600


class Opening:
    """Scripts joined into one. `scripts`: in the order in which they run."""

    def __init__(self, scripts: Sequence[Path]) -> None:
        self.scripts = tuple(scripts)

    @cached_property
    def name(self) -> str:
        """16 hexadecimal digits that change with the scripts."""
        found = [(each.name, each.stat()) for each in self.scripts]
        parts = [f"{name} {status.st_size} {status.st_mtime_ns}" for name, status in found]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    @cached_property
    def packed(self) -> bytes:
        """All of it, packed by gzip. Each script is a function's body, so strict on its own."""
        parts = [b"(()=>{%b\n})();\n" % each.read_bytes() for each in self.scripts]
        return gzip.compress(b"".join(parts), 6, mtime=0)


def find_opening() -> Opening:
    """Return the scripts of the Voila and the widget extensions that are installed.

    Those are Voila's styles, the chunks that its main script names, and all chunks of the
    extensions.
    """
    places = map(Path, collect_static_paths(["voila", "nbconvert"], TEMPLATE))
    static = next((place for place in places if (place / MAIN).is_file()), None)
    own = [] if static is None else [static / STYLE, *_named(static)]
    folders = [Path(each) for each in get_voila_labextensions_path()]
    others = [script for name in EXTENSIONS for script in _chunks(folders, name)]
    return Opening([each for each in (*own, *others) if each.is_file()])


def _named(static: Path) -> list[Path]:
    numbers = set(LOADED.findall((static / MAIN).read_text("utf-8")))
    return [static / CHUNK.format(number) for number in sorted(numbers, key=int)]


def _chunks(folders: Iterable[Path], extension: str) -> list[Path]:
    for folder in folders:
        if (folder / extension).is_dir():
            return sorted((folder / extension / "static").glob("[0-9]*.js"))
    return []


def page_config_hook(opening: Opening) -> Callable[..., dict[str, Any]]:
    """Return what tells pages where their scripts are, for ``VoilaConfiguration``."""

    def tell(page_config: dict[str, Any], *, base_url: str, **_: Any) -> dict[str, Any]:
        if opening.scripts:
            address = url_path_join(base_url, "voila/opening", f"{opening.name}.js")
            page_config["openingUrl"] = address
        return page_config

    return tell


class OpeningScripts(JupyterHandler):
    """Answers with the scripts that pages start with."""

    def initialize(self, opening: Opening) -> None:
        """Take the scripts."""
        self.opening = opening

    @authenticated
    async def get(self, name: str) -> None:
        """Answer, if they are still those that are asked for."""
        if name != self.opening.name:
            raise HTTPError(404)
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", f"private, max-age={KEPT_SECONDS}, immutable")
        self.set_header("Vary", "Accept-Encoding")
        packed = "gzip" in self.request.headers.get("Accept-Encoding", "")
        if packed:
            self.set_header("Content-Encoding", "gzip")
        body = self.opening.packed
        await self.finish(body if packed else gzip.decompress(body))
