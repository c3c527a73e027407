"""Serving the explorer: the Voila page, and prompt kernel websockets for every Jupyter server.

Jupyter Server loads this module as an extension (``jupyter server extension list`` shows it as
``explorer.serve``). It is imported by servers, so it must stay light: no torch, no widgets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.serve.connection import without_delay

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__all__: list[str] = []

_SETTING = "kernel_websocket_connection_class"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "explorer.serve"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    """Make kernel websockets that this server opens from now on send without delay."""
    settings = server.web_app.settings
    settings[_SETTING] = without_delay(settings[_SETTING])
