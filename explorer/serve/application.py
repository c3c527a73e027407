"""Voila with our template and handlers."""

from __future__ import annotations

import os
import sys
import webbrowser
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

from jupyter_server.base.handlers import FileFindHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.utils import url_path_join
from tornado.ioloop import IOLoop
from tornado.routing import Rule
from voila.app import Voila
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import (
    AllowListFileHandler,
    MultiStaticFileHandler,
    TemplateStaticFileHandler,
)
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from explorer.serve import scripts
from explorer.serve.access import EndKernel, Foreign, KernelState, Tokens, missing_host, names_of
from explorer.serve.connection import KernelSocket
from explorer.serve.forking import Zygote, can_fork
from explorer.serve.handlers import Elsewhere, FrontPage, NotebookPage, NotThere
from explorer.serve.kernels import Visits, one_thread
from explorer.serve.messages import MOST_BYTES
from explorer.serve.zygote import PREPARED

__all__ = ["APP_ADDRESS", "Server"]

APP_ADDRESS = "app"
MOST = {
    "max_body_size": 64 * 1024,
    "max_header_size": 32 * 1024,
    "body_timeout": 30.0,
    "idle_connection_timeout": 75.0,
}
TEMPLATE_FILES = r"/voila/templates/((?:compression-explorer|lab|base)/static/(?!.*\.\.)[\w./-]+)"
KEPT = (MultiStaticFileHandler, FileFindHandler, AllowListFileHandler)
OURS: dict[type, type] = {
    KernelHandler: KernelState,
    VoilaShutdownKernelHandler: EndKernel,
    VoilaKernelWebsocketHandler: KernelSocket,
}


class Server(Voila):
    """Voila with our handlers, saying where the page is once it answers, and opening it."""

    start_page = APP_ADDRESS
    most_visitors = 1
    hosts: tuple[str, ...] = ()

    def init_settings(self) -> dict[str, Any]:
        """Return the application's settings, having prepared kernels and scripts."""
        self.opening = scripts.find_opening()
        self.voila_configuration.page_config_hook = scripts.page_config_hook(self.opening)
        settings: dict[str, Any] = super().init_settings()
        kernels = self.kernel_manager
        kernels.root_dir = str(Path.cwd())
        kernels.visits = Visits(self.most_visitors)
        if can_fork():
            own = {} if kernels.all_cores else one_thread()
            kernels.zygote = Zygote(PREPARED, os.environ | own)
        return settings | {
            "visitor_tokens": Tokens(),
            "default_handler_class": NotThere,
            "default_handler_args": {"voila_configuration": self.voila_configuration},
            "websocket_max_message_size": MOST_BYTES,
        }

    def init_handlers(self) -> list[Any]:
        """Return our pages, and of Voila's handlers those that the pages need."""
        at = partial(url_path_join, self.server_url)
        known_words = {"voila_configuration": self.voila_configuration}
        known = known_words | {"folder": Path(self.root_dir)}
        page = known | {"template_paths": self.template_paths, "config": self.config}
        kept = [each for each in super().init_handlers() if each[1] in KEPT]
        ours = [(each[0], OURS[each[1]]) for each in super().init_handlers() if each[1] in OURS]
        return [
            Rule(Foreign(names_of(self.hosts, self.ip)), Elsewhere, known_words),
            (at("/"), FrontPage, known),
            (at(f"/{APP_ADDRESS}/?()"), NotebookPage, page),
            (at(r"/voila/render/([^/]+\.ipynb)"), NotebookPage, page),
            (at(scripts.ADDRESS), scripts.OpeningScripts, {"opening": self.opening}),
            (at(TEMPLATE_FILES), TemplateStaticFileHandler),
            *ours,
            *kept,
        ]

    def listen(self) -> None:
        """Listen until interrupted."""
        self.app.listen = partial(self.app.listen, **MOST)
        IOLoop.current().add_callback(self._announce)
        Thread(target=lambda: self.opening.packed, daemon=True).start()
        super().listen()

    def stop(self) -> None:
        """End all kernels and what they are forked from."""
        self._make_no_more()
        if self.kernel_manager.zygote is not None:
            self.kernel_manager.zygote.close()
        super().stop()

    def _make_no_more(self) -> None:
        """Wait for no page that is made in advance."""
        for pool in getattr(self.kernel_manager, "_pools", {}).values():
            pool.clear()

    def _handle_signal_stop(self, sig: int, frame: Any) -> None:
        """End, also while still starting."""
        if hasattr(self, "ioloop"):
            super()._handle_signal_stop(sig, frame)
        else:
            raise KeyboardInterrupt

    @property
    def page_url(self) -> str:
        """Address of the page that the server starts with."""
        return f"{self.connection_url}{self.start_page}"

    def _announce(self) -> None:
        sys.stdout.write(
            f"Compression Explorer is at {self.page_url} , all chapters at {self.connection_url} "
            "(Ctrl+C stops it)\n"
        )
        if warning := missing_host(self.hosts, self.ip):
            sys.stdout.write(f"{warning}\n")
        sys.stdout.flush()

    def launch_browser(self) -> None:
        """Open that page in the user's browser."""
        Thread(target=webbrowser.open, args=(self.page_url,), daemon=True).start()
