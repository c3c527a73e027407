"""Kernel websockets: prompt, and of a flood of updates only the last."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from tornado.ioloop import IOLoop
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError

from explorer.serve.messages import (
    PROTOCOL,
    Malformed,
    Message,
    allowed,
    hides,
    packed,
    read,
    sound,
)

MOST_SENT = 4
MOST_WAITING = 256
PATIENCE_S = 20.0
FLOOD_DROPPED, FLOOD_WINDOW_S = 20, 0.1
FLOOD_REST_S, FLOOD_PACE_S = 0.25, 0.2


class _Kept(NamedTuple):
    message: Message
    model: str
    keys: frozenset[str]


class Updates:
    """The messages of one page that wait, and those that its kernel has not answered yet.

    Messages are given on in the order in which they came. What a click or another message may
    depend on is never dropped: an update replaces another only where nothing but updates came
    between the two.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, _Kept] = {}
        self._replaceable: dict[tuple[str, frozenset[str]], int] = {}
        self._sent: dict[str, float] = {}
        self._number = 0
        self._window_since = self._flood_until = self._given_at = -1.0
        self._n_dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether no more should be read from the page for now."""
        return len(self._waiting) >= MOST_WAITING

    def is_flooded(self, now: float) -> bool:
        """Whether far more updates have just been dropped than a hand makes."""
        return now < self._flood_until

    def add(self, message: Message, now: float = 0.0) -> list[Message]:
        """Let a message wait that came at the second `now` of a clock.

        Returns: those that it replaces, which need not be given on any more.
        """
        kept = _kept(message)
        dropped = []
        if kept.keys:
            for other in [other for other in self._replaceable if _replaces(kept, other)]:
                dropped.append(self._waiting.pop(self._replaceable.pop(other)).message)
            self._replaceable[kept.model, kept.keys] = self._number
        else:
            self._replaceable.clear()
        self._waiting[self._number] = kept
        self._number += 1
        self._count(len(dropped), now)
        return dropped

    def _count(self, n_dropped: int, now: float) -> None:
        if now - self._window_since > FLOOD_WINDOW_S:
            self._window_since, self._n_dropped = now, 0
        self._n_dropped += n_dropped
        if self._n_dropped > FLOOD_DROPPED:
            self._flood_until = now + FLOOD_REST_S

    def due(self, now: float) -> Iterator[Message]:
        """Give on what the kernel may be given now.

        `now`: seconds of a clock; what was given on long ago counts as answered.
        """
        self._sent = {key: at for key, at in self._sent.items() if now - at < PATIENCE_S}
        flooded = self.is_flooded(now)
        if flooded and now - self._given_at < FLOOD_PACE_S:
            return
        most = 1 if flooded else MOST_SENT
        while self._waiting and len(self._sent) < most:
            number = next(iter(self._waiting))
            kept = self._waiting.pop(number)
            if self._replaceable.get((kept.model, kept.keys)) == number:
                del self._replaceable[kept.model, kept.keys]
            self._sent[kept.message.header["msg_id"]] = self._given_at = now
            yield kept.message

    def answered(self, message_id: object) -> bool:
        """Note that the kernel is done with a message; tell whether it was one of these."""
        return isinstance(message_id, str) and self._sent.pop(message_id, None) is not None


def _kept(message: Message) -> _Kept:
    data = message.content.get("data", {})
    if message.kind != "comm_msg" or data.get("method") != "update":
        return _Kept(message, "", frozenset())
    return _Kept(message, message.content["comm_id"], frozenset(data["state"]))


def _replaces(kept: _Kept, other: tuple[str, frozenset[str]]) -> bool:
    model, keys = other
    return model == kept.model and keys <= kept.keys


REFUSED = 1002
MOST_PAGES = 8
MOST_REASON = 120
LOOK_SECONDS = 1.0
WAIT_SECONDS = 0.02
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

    `connection_class`: a subclass of ``BaseKernelWebsocketConnection``, as a server is configured
    to use it. Returns: `connection_class` itself where it already sends without delay, else a
    subclass of it with the same name.
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

    async def on_message(self, ws_message: Any) -> None:
        """Take a message; no further one is read while too many wait for the kernel."""
        self.connection.handle_incoming_message(ws_message)
        while self.connection is not None and self.connection.is_full:
            await asyncio.sleep(WAIT_SECONDS)

    def get_websocket_protocol(self) -> Any:
        """Leave pings to Jupyter Server: Tornado would take its milliseconds for seconds."""
        protocol: Any = super().get_websocket_protocol()
        if protocol is not None:
            protocol.params.ping_interval = protocol.params.ping_timeout = 0
        return protocol


class GuardedConnection(PromptConnection):
    """A visitor's connection: what it may say is what `explorer.serve.messages` allows.

    A message that is not given on to the kernel is answered as if the kernel had done nothing, so
    that a page that waits for the answer goes on.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._updates = Updates()
        self._look: Any = None

    @property
    def is_full(self) -> bool:
        """Whether no more should be read from the page for now."""
        return self._updates.is_full and bool(self.channels)

    def connect(self) -> Any:
        """Connect to the kernel; a page that speaks another protocol is turned away."""
        if self.subprotocol != PROTOCOL:
            self.websocket_handler.close(REFUSED, f"expected the protocol {PROTOCOL}")
            return _nothing()
        return super().connect()

    def disconnect(self) -> Any:
        """Let go of the kernel, and of what waits for it."""
        if self._look is not None:
            IOLoop.current().remove_timeout(self._look)
            self._look = None
        self._updates = Updates()
        return super().disconnect()

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Pass on what is allowed; drop what is not; hang up on what is no message."""
        if self.subprotocol != PROTOCOL:
            return
        try:
            message = read(incoming_msg)
        except Malformed as error:
            self.websocket_handler.close(REFUSED, str(error)[:MOST_REASON])
            return
        if not allowed(message) or not sound(message):
            self.log.warning("refused a message of type %.40r from a page", message.kind)
            self._done_with(message)
        elif message.channel == "control":
            super().handle_incoming_message(packed(message))
        else:
            for each in self._updates.add(message, time.monotonic()):
                self._done_with(each)
            self._give_on()

    def _give_on(self) -> None:
        """Give the kernel what it may be given; look again where something waits."""
        if not self.channels:
            return
        now = time.monotonic()
        for message in self._updates.due(now):
            super().handle_incoming_message(packed(message))
        if self._updates and self._look is None:
            wait_s = FLOOD_REST_S if self._updates.is_flooded(now) else LOOK_SECONDS
            self._look = IOLoop.current().call_later(wait_s, self._look_again)

    def _look_again(self) -> None:
        self._look = None
        self._give_on()

    def _done_with(self, message: Message) -> None:
        """Answer a message that the kernel is not given: nothing was done, and it is idle."""
        header = message.header
        if not isinstance(header.get("msg_id"), str):
            return
        parts = {
            "header": self.session.msg_header("status"),
            "parent_header": header,
            "metadata": {},
            "content": {"execution_state": "idle"},
        }
        frame = serialize_msg_to_ws_v1(parts, "iopub", _text)
        with suppress(WebSocketClosedError):
            self.websocket_handler.write_message(frame, binary=True)

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        """Pass on what the page may see."""
        _, parts = self.session.feed_identities(outgoing_msg)
        kind = self.session.unpack(parts[1])["msg_type"]
        if kind in SEEN_WHOLE or not hides(kind, self.session.unpack(parts[4])):
            super().handle_outgoing_message(stream, outgoing_msg)
        if kind == "status" and self.session.unpack(parts[4]).get("execution_state") == "idle":
            parent = self.session.unpack(parts[2])
            if self._updates.answered(parent.get("msg_id")):
                self._give_on()


def _text(part: Any) -> bytes:
    return json.dumps(part, default=str).encode()


async def _nothing() -> None:
    return None
