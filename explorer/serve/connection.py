"""Kernel websockets that send every message at once.

A dial's drag is a ping-pong of small messages. On a socket that gathers small writes (Nagle's
algorithm) each waits for the receiver's delayed acknowledgement, about 40 ms, which holds a drag
to some 20 updates a second. TCP_NODELAY lifts that.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

__all__ = ["PromptConnection", "without_delay"]


class _NoDelay:
    """Mixin for a kernel websocket connection: turn TCP_NODELAY on when it connects."""

    websocket_handler: Any

    def connect(self) -> Any:
        self.websocket_handler.set_nodelay(True)
        return super().connect()  # type: ignore[misc]


class PromptConnection(_NoDelay, ZMQChannelsWebsocketConnection):
    """Jupyter Server's own kernel websocket connection, sending without delay."""


@cache
def without_delay(connection_class: type) -> type:
    """Return a subclass of a kernel websocket connection class that sends without delay.

    Parameters
    ----------
    connection_class : type
        A subclass of ``BaseKernelWebsocketConnection``, as a server is configured to use it.

    Returns
    -------
    type
        `connection_class` itself where it already sends without delay, else a subclass of it with
        the same name.
    """
    if issubclass(connection_class, _NoDelay):
        return connection_class
    return type(connection_class.__name__, (_NoDelay, connection_class), {})
