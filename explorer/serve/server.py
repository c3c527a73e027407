"""The server of the explorer's page: Voila with our template and our settings."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from threading import Thread
from typing import Any

from tornado.ioloop import IOLoop
from traitlets.config import Config
from voila.app import Voila

from explorer.serve.connection import PromptConnection
from explorer.serve.page import SHARE, TEMPLATE, notebook_path
from explorer.serve.port import ADDRESS

__all__ = ["configuration", "serve"]

IDLE_SECONDS = 600
WIDGET_EXTENSIONS = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
    "bqplot",
    "bqscales",
]


class _Server(Voila):
    """Voila, saying where the page is once it answers, and opening just that address."""

    def listen(self) -> None:
        IOLoop.current().add_callback(self._announce)
        super().listen()

    def _announce(self) -> None:
        sys.stdout.write(f"Compression Explorer is at {self.connection_url} (Ctrl+C stops it)\n")
        sys.stdout.flush()

    def launch_browser(self) -> None:
        Thread(target=webbrowser.open, args=(self.connection_url,), daemon=True).start()


def _allow_shutdown(request: Any, notebook: Any, cwd: str) -> None:
    """Set the cookie without which the page may not end its kernel when it closes."""
    _ = request.xsrf_token


def configuration(port: int, open_browser: bool = True) -> Config:
    """Return the settings that the explorer's page is served with.

    Parameters
    ----------
    port : int
        The port to listen on, on the loopback address only. No other is tried.
    open_browser : bool, default True
        Whether to open the page in the user's browser once it answers.

    Returns
    -------
    Config
        Settings for ``Voila``. Sources are left out of the page and tracebacks are not shown; a
        kernel whose page has gone is ended at once, or, failing that, after ten idle minutes.
    """
    return Config(
        {
            "Voila": {
                "ip": ADDRESS,
                "port": port,
                "port_retries": 0,
                "open_browser": open_browser,
                "log_level": "ERROR",
                "config_file_paths": [],
                "kernel_websocket_connection_class": PromptConnection,
            },
            "VoilaConfiguration": {
                "template": TEMPLATE,
                "strip_sources": True,
                "show_tracebacks": False,
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "prelaunch_hook": _allow_shutdown,
                "extension_allowlist": WIDGET_EXTENSIONS,
            },
            "MappingKernelManager": {
                "root_dir": str(Path.cwd()),
                "cull_idle_timeout": IDLE_SECONDS,
                "cull_interval": 60,
            },
        }
    )


def serve(
    port: int,
    open_browser: bool = True,
    model: str | None = None,
    weights: str | None = None,
    notebook: Path | None = None,
) -> None:
    """Serve the explorer's page until interrupted.

    Parameters
    ----------
    port : int
        The port to listen on, on the loopback address only.
    open_browser : bool, default True
        Whether to open the page in the user's browser once it answers.
    model : str, optional
        Name of the network that the page starts with, one of ``explorer.catalog()``. Pages read it
        from the environment variable ``EXPLORER_MODEL``.
    weights : str, optional
        ``"default"``, ``"random"`` or the path of a safetensors file, read from
        ``EXPLORER_WEIGHTS`` likewise.
    notebook : Path, optional
        Another page to serve in the same way.
    """
    known = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join([str(SHARE), *([known] if known else [])])
    given = {"EXPLORER_MODEL": model, "EXPLORER_WEIGHTS": weights}
    os.environ.update({name: value for name, value in given.items() if value is not None})
    server = _Server(config=configuration(port, open_browser))
    server.initialize([str(notebook or notebook_path())])
    server.start()
