"""Request handlers: the front page, pages, and what is said where there is none."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError
from voila.handler import BaseVoilaHandler
from voila.request_info_handler import RequestInfoSocketHandler
from voila.tornado.handler import TornadoVoilaHandler

from explorer.serve.access import WithToken
from explorer.serve.kernels import NoRoom, Visit

APP = "app.ipynb"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\.ipynb")


@dataclass(frozen=True)
class Chapter:
    """A notebook that can be opened as a page.

    `file`: its name in the folder. `title`, `description`: from the notebook's metadata; without a
    title, the name in words.
    """

    file: str
    title: str
    description: str


def chapters(folder: Path) -> list[Chapter]:
    """Return the notebooks of a folder, the explorer's page first, the others by name.

    `folder`: notebooks below it are not looked for; what is hidden or cannot be read is left out.
    """
    found = [_chapter(path) for path in sorted(folder.glob("*.ipynb")) if NAME.fullmatch(path.name)]
    known = [each for each in found if each is not None]
    return sorted(known, key=lambda each: each.file != APP)


def _chapter(path: Path) -> Chapter | None:
    try:
        metadata: Any = json.loads(path.read_text(encoding="utf-8"))["metadata"]
        title, description = (str(metadata.get(key, "")) for key in ("title", "description"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    words = path.stem.replace("_", " ").strip().lstrip("0123456789 ") or path.stem
    return Chapter(path.name, title or words[0].upper() + words[1:], description)


RETRY_SECONDS = 5
WORDS = {
    403: ("This is not shown", "The server shows its notebooks as pages, and nothing else."),
    404: ("There is nothing here", "The address may be mistyped, or what was here has gone."),
    503: (
        "All places are taken",
        "Everyone this server has room for is here already. This page asks again by itself; "
        "a place is free as soon as somebody leaves.",
    ),
}
ELSEWHERE = (
    "This is not the server's name",
    "The server answers to localhost, and to the names that it was started with. Whoever runs it "
    "can give one more: compression-explorer app --host NAME, for the name in this page's address.",
)
OTHERWISE = ("Something went wrong", "The page could not be made. Loading it again may help.")


class _Told(BaseVoilaHandler):
    """A handler whose errors are put into words, on a page, without what caused them."""

    def tell(
        self, status: int, retry: int | None = None, texts: tuple[str, str] | None = None
    ) -> None:
        """Answer with a page of words; `retry` is after how many seconds it loads itself again."""
        title, words = texts or WORDS.get(status, OTHERWISE)
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        if retry is not None:
            self.set_header("Retry-After", str(retry))
        environment = self.settings["voila_jinja2_env"]
        page = environment.get_template("message.html")
        given = {"title": title, "words": words, "retry": retry, "base_url": self.base_url}
        self.finish(page.render(**given))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error."""
        known = status_code if status_code in {s.value for s in HTTPStatus} else 500
        self.tell(known, RETRY_SECONDS if known == HTTPStatus.SERVICE_UNAVAILABLE else None)


class FrontPage(_Told):
    """The list of what there is to open."""

    def initialize(self, folder: Path, **kwargs: Any) -> None:
        """Take the folder of the notebooks."""
        super().initialize(**kwargs)
        self.folder = folder

    def get(self) -> None:
        """Answer with the list."""
        found = chapters(self.folder)
        first = [each for each in found if each.file == APP]
        rest = [each for each in found if each.file != APP]
        page = self.settings["voila_jinja2_env"].get_template("front.html")
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(page.render(app=first, chapters=rest, base_url=self.base_url))


class NotebookPage(WithToken, _Told, TornadoVoilaHandler):
    """A notebook of the folder, as a page with a kernel of its own."""

    visit: Visit | None = None
    gone = False

    def initialize(self, folder: Path, **kwargs: Any) -> None:
        """Take the folder of the notebooks."""
        super().initialize(**kwargs)
        self.folder = folder

    @property
    def kernel_manager(self) -> Any:
        """The kernels, as this visitor asks for them."""
        return self.visit or self.settings["kernel_manager"]

    async def get(self, path: str | None = None) -> None:
        """Answer with the page, or with words if there is no room.

        Asking for the token sets the cookie without which the page may not end its kernel.
        """
        name = path or APP
        if all(each.file != name for each in chapters(self.folder)):
            raise HTTPError(404)
        _ = self.xsrf_token
        kernels = self.settings["kernel_manager"]
        try:
            with kernels.visits.enter(kernels, self.visitor_token) as self.visit:
                await super().get(name)
        except NoRoom:
            self.tell(HTTPStatus.SERVICE_UNAVAILABLE, RETRY_SECONDS)
        except StreamClosedError:
            self.gone = True
        finally:
            await self._settle()

    async def _settle(self) -> None:
        if self.visit is not None:
            RequestInfoSocketHandler._cache.pop(self.visit.kernel_id, None)
            if self.gone:
                await self.visit.leave()

    def on_connection_close(self) -> None:
        """End the kernel of a visitor who has gone before the page was there."""
        super().on_connection_close()
        self.gone = True
        IOLoop.current().add_callback(self._settle)


class NotThere(_Told):
    """The answer to every address that the server does not know."""

    async def prepare(self) -> None:
        """Answer that there is nothing."""
        raise HTTPError(404)


class Elsewhere(_Told):
    """The answer to every request for a name that the server does not answer to."""

    async def prepare(self) -> None:
        """Say so."""
        self.tell(HTTPStatus.FORBIDDEN, texts=ELSEWHERE)
