"""The server of the explorer's pages: Voila with our template, settings and handlers."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

from jupyter_server.base.handlers import FileFindHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from jupyter_server.utils import url_path_join
from tornado.ioloop import IOLoop
from traitlets.config import Config
from voila.app import Voila
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import (
    AllowListFileHandler,
    MultiStaticFileHandler,
    TemplateStaticFileHandler,
)
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from explorer.serve.connection import GuardedConnection
from explorer.serve.forking import Zygote, can_fork
from explorer.serve.front import APP
from explorer.serve.handlers import FrontPage, NotebookPage, NotThere
from explorer.serve.kernels import Kernels, one_thread
from explorer.serve.limits import memory_bytes, most_visitors
from explorer.serve.messages import MOST_BYTES
from explorer.serve.page import SHARE, TEMPLATE, notebook_path
from explorer.serve.port import ADDRESS
from explorer.serve.visit import Visits
from explorer.serve.warm import PREPARED

__all__ = ["APP_ADDRESS", "configuration", "serve"]

APP_ADDRESS = "app"
CHECK_SECONDS = 5
MOST_FOLDER = 32
LEFT_SECONDS = 120.0
MOST_BODY_BYTES = 64 * 1024
TEMPLATE_FILES = r"/voila/templates/((?:compression-explorer|lab|base)/static/(?!.*\.\.)[\w./-]+)"
KEPT = (
    KernelHandler,
    MultiStaticFileHandler,
    VoilaShutdownKernelHandler,
    FileFindHandler,
    AllowListFileHandler,
)
PROBLEM = "Load the page again; if that does not help, tell whoever runs this server."
WIDGET_EXTENSIONS = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
    "bqplot",
    "bqscales",
]


class _Server(Voila):
    """Voila with our handlers, saying where the page is once it answers, and opening it."""

    start_page = APP_ADDRESS
    most_visitors = 1

    def init_settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = super().init_settings()
        kernels = self.kernel_manager
        kernels.root_dir = str(Path.cwd())
        kernels.visits = Visits(self.most_visitors)
        if can_fork():
            own = {} if kernels.all_cores else one_thread()
            kernels.zygote = Zygote(PREPARED, os.environ | own)
        return settings | {
            "default_handler_class": NotThere,
            "default_handler_args": {"voila_configuration": self.voila_configuration},
            "websocket_max_message_size": MOST_BYTES,
        }

    def init_handlers(self) -> list[Any]:
        """Return our pages, and of Voila's handlers those that the pages need."""
        at = partial(url_path_join, self.server_url)
        known = {"voila_configuration": self.voila_configuration, "folder": Path(self.root_dir)}
        page = known | {"template_paths": self.template_paths, "config": self.config}
        kept = [each for each in super().init_handlers() if each[1] in KEPT]
        sockets = [
            (each[0], KernelWebsocketHandler)
            for each in super().init_handlers()
            if each[1] is VoilaKernelWebsocketHandler
        ]
        return [
            (at("/"), FrontPage, known),
            (at(f"/{APP_ADDRESS}/?()"), NotebookPage, page),
            (at(r"/voila/render/([^/]+\.ipynb)"), NotebookPage, page),
            (at(TEMPLATE_FILES), TemplateStaticFileHandler),
            *sockets,
            *kept,
        ]

    def listen(self) -> None:
        self.app.listen = partial(self.app.listen, max_body_size=MOST_BODY_BYTES)
        IOLoop.current().add_callback(self._announce)
        super().listen()

    def stop(self) -> None:
        super().stop()
        if self.kernel_manager.zygote is not None:
            self.kernel_manager.zygote.close()

    @property
    def page_url(self) -> str:
        return f"{self.connection_url}{self.start_page}"

    def _announce(self) -> None:
        sys.stdout.write(
            f"Compression Explorer is at {self.page_url} , all chapters at {self.connection_url} "
            "(Ctrl+C stops it)\n"
        )
        sys.stdout.flush()

    def launch_browser(self) -> None:
        Thread(target=webbrowser.open, args=(self.page_url,), daemon=True).start()


def _transport() -> str:
    """Return how the server talks to kernels: by files rather than ports, which can be taken."""
    short_enough = len(tempfile.gettempdir()) <= MOST_FOLDER
    return "ipc" if can_fork() and short_enough else "tcp"


def configuration(
    port: int,
    open_browser: bool = True,
    *,
    notebook: str = APP,
    max_kernels: int = 2,
    n_ready: int = 1,
    left_seconds: float = LEFT_SECONDS,
    address: str = ADDRESS,
) -> Config:
    """Return the settings that the explorer's pages are served with.

    Parameters
    ----------
    port : int
        The port to listen on. No other is tried.
    open_browser : bool, default True
        Whether to open the page in the user's browser once it answers.
    notebook : str
        Name of the notebook that pages are made of in advance.
    max_kernels : int
        How many visitors there may be at a time. A single one's kernel may use all cores,
        several have one each.
    n_ready : int
        How many pages are made in advance, each with a kernel of its own, on top of
        `max_kernels`.
    left_seconds : float
        After how long a kernel is ended that no page is connected to.
    address : str
        The address to listen on, the loopback address by default.

    Returns
    -------
    Config
        Settings for ``Voila``. Sources are left out of the page and tracebacks are not shown; a
        kernel whose page has gone is ended at once, or, failing that, after `left_seconds`.
    """
    pools = {"default": {"pool_size": 0}, notebook: {"pool_size": n_ready}}
    return Config(
        {
            "Voila": {
                "ip": address,
                "port": port,
                "port_retries": 0,
                "open_browser": open_browser,
                "log_level": "ERROR",
                "config_file_paths": [],
                "kernel_websocket_connection_class": GuardedConnection,
            },
            "VoilaConfiguration": {
                "template": TEMPLATE,
                "strip_sources": True,
                "show_tracebacks": False,
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "extension_allowlist": WIDGET_EXTENSIONS,
                "multi_kernel_manager_class": Kernels,
                "preheat_kernel": n_ready > 0,
            },
            "VoilaExecutor": {"cell_error_instruction": PROBLEM},
            "VoilaKernelManager": {"kernel_pools_config": pools},
            "MappingKernelManager": {
                "cull_idle_timeout": 1,
                "cull_interval": max(1, min(CHECK_SECONDS, int(left_seconds))),
                "allow_tracebacks": False,
            },
            "Kernels": {"all_cores": max_kernels == 1, "left_seconds": left_seconds},
            "KernelManager": {"transport": _transport()},
            "KernelRestarter": {"restart_limit": 0, "time_to_dead": 1.0},
        }
    )


def serve(
    port: int,
    open_browser: bool = True,
    model: str | None = None,
    weights: str | None = None,
    notebook: Path | None = None,
    *,
    max_kernels: int | None = None,
    n_ready: int = 1,
    left_seconds: float = LEFT_SECONDS,
    address: str = ADDRESS,
) -> None:
    """Serve the explorer's page and the chapters beside it until interrupted.

    Parameters
    ----------
    port : int
        The port to listen on.
    open_browser : bool, default True
        Whether to open the page in the user's browser once it answers.
    model : str, optional
        Name of the network that the page starts with, one of ``explorer.catalog()``. Pages read it
        from the environment variable ``EXPLORER_MODEL``.
    weights : str, optional
        ``"default"``, ``"random"`` or the path of a safetensors file, read from
        ``EXPLORER_WEIGHTS`` likewise.
    notebook : Path, optional
        Another page to start with; the notebooks of its folder are served in the same way.
    max_kernels : int, optional
        How many visitors there may be at a time; one more is told so, and let in when somebody
        leaves. By default as many as the memory has room for.
    n_ready : int, default 1
        How many pages are made in advance, so that they open at once.
    left_seconds : float, default 120
        A kernel is ended when no page has been connected to it for so long; a page that is closed
        ends its kernel at once.
    address : str
        The address to listen on. Any other than the loopback address lets the network in.

    Raises
    ------
    ValueError
        If `max_kernels` is not positive or `n_ready` is negative.
    """
    if max_kernels is not None and max_kernels < 1:
        raise ValueError(f"max_kernels must be 1 or more, got {max_kernels}: leave it out to fit")
    if n_ready < 0:
        raise ValueError(f"n_ready must be 0 or more, got {n_ready}: 0 makes no page in advance")
    most = max_kernels or most_visitors(memory_bytes(), can_fork())
    known = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join([str(SHARE), *([known] if known else [])])
    given = {"EXPLORER_MODEL": model, "EXPLORER_WEIGHTS": weights}
    os.environ.update({name: value for name, value in given.items() if value is not None})
    first = notebook or notebook_path()
    server = _Server(
        config=configuration(
            port,
            open_browser,
            notebook=first.name,
            max_kernels=most,
            n_ready=n_ready,
            left_seconds=left_seconds,
            address=address,
        ),
        root_dir=str(first.parent.resolve()),
    )
    server.most_visitors = most
    if first.name != APP:
        server.start_page = f"voila/render/{first.name}"
    server.initialize([])
    server.start()
