"""Kernel websockets that send every message at once, and pass on only what a page may say.

A dial's drag is a ping-pong of small messages. On a socket that gathers small writes (Nagle's
algorithm) each waits for the receiver's delayed acknowledgement, about 40 ms, which holds a drag
to some 20 updates a second. TCP_NODELAY lifts that.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from tornado.web import HTTPError

from explorer.serve.messages import PROTOCOL, Malformed, allowed, hides, read

__all__ = ["GuardedConnection", "KernelSocket", "PromptConnection", "without_delay"]

REFUSED = 1002
MOST_PAGES = 8
MOST_REASON = 120
SEEN_WHOLE = {"comm_msg", "comm_open", "comm_close", "status"}


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


class KernelSocket(KernelWebsocketHandler):
    """A kernel's websocket, pinged every 30 seconds, and ended after 90 without an answer.

    That is often enough for proxies, which end what is silent for a minute, and patient enough
    for a phone in a tunnel.
    """

    async def pre_get(self) -> None:
        """Let a page in, unless very many are connected to the kernel already."""
        known = ZMQChannelsWebsocketConnection._open_sockets
        if sum(each.kernel_id == self.kernel_id for each in known) >= MOST_PAGES:
            raise HTTPError(429)
        await super().pre_get()

    def get_websocket_protocol(self) -> Any:
        """Leave pings to Jupyter Server: Tornado would take its milliseconds for seconds."""
        protocol: Any = super().get_websocket_protocol()
        if protocol is not None:
            protocol.params.ping_interval = protocol.params.ping_timeout = 0
        return protocol


class GuardedConnection(PromptConnection):
    """A visitor's connection: what it may say is what `explorer.serve.messages` allows."""

    def connect(self) -> Any:
        """Connect to the kernel; a page that speaks another protocol is turned away."""
        if self.subprotocol != PROTOCOL:
            self.websocket_handler.close(REFUSED, f"expected the protocol {PROTOCOL}")
            return _nothing()
        return super().connect()

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Pass on what is allowed; drop what is not; hang up on what is no message."""
        if self.subprotocol != PROTOCOL:
            return
        try:
            message = read(incoming_msg)
        except Malformed as error:
            self.websocket_handler.close(REFUSED, str(error)[:MOST_REASON])
            return
        if allowed(message):
            super().handle_incoming_message(incoming_msg)
        else:
            self.log.warning("refused a message of type %.40r from a page", message.kind)

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        """Pass on what the page may see."""
        _, parts = self.session.feed_identities(outgoing_msg)
        kind = self.session.unpack(parts[1])["msg_type"]
        if kind in SEEN_WHOLE or not hides(kind, self.session.unpack(parts[4])):
            super().handle_outgoing_message(stream, outgoing_msg)


async def _nothing() -> None:
    return None
