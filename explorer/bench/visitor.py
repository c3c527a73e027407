"""A visitor who speaks to a server of our pages as a browser does, without one."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from contextlib import suppress
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from jupyter_client.session import Session, utcnow
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from explorer.serve.messages import PROTOCOL

__all__ = ["NotAdmitted", "Visitor"]

CONFIGURATION = re.compile(r'id="jupyter-config-data" type="application/json">(.*?)</script>', re.S)
CONTROL, CONTROL_VERSION = "jupyter.widget.control", "1.0.0"
PAGE_SECONDS = 180.0
CLOSING_SECONDS = 5.0
MOST_BYTES = 256 * 2**20


def cookie_in(*told: str) -> str:
    """Return the value of the visitor's cookie in ``Set-Cookie`` headers."""
    found = [cookies["_xsrf"].value for each in told if "_xsrf" in (cookies := SimpleCookie(each))]
    return found[0] if found else ""


class NotAdmitted(Exception):
    """The server answered a visitor with something else than a page.

    `words`: the page it answered with.
    """

    def __init__(self, status: int, retry_after: str | None, words: str) -> None:
        super().__init__(f"the server answered {status}")
        self.status, self.retry_after, self.words = status, retry_after, words


class Visitor:
    """A page's half of the conversation with its kernel.

    `states`: what each widget held when the page was opened, by model id. `page_seconds`: from
    asking for the page to having read it. `cookie`: that the page may end its kernel with.
    `ready_seconds`: from asking for the page to knowing the widgets' states.
    """

    def __init__(self, kernel_id: str, page_seconds: float) -> None:
        self.kernel_id, self.page_seconds, self.ready_seconds = kernel_id, page_seconds, 0.0
        self.states: dict[str, dict[str, Any]] = {}
        self.hung_up, self.cookie = False, ""
        self.session = Session(key=b"", session=uuid.uuid4().hex)
        self.socket: WebSocketClientConnection

    @classmethod
    async def enter(cls, page: str) -> Visitor:
        """Ask for a page, connect to its kernel, and learn what widgets there are.

        Raises NotAdmitted if the server has no room, or no such page.
        """
        started = time.perf_counter()
        request = HTTPRequest(page, request_timeout=PAGE_SECONDS)
        client = AsyncHTTPClient(force_instance=True)
        answer = await client.fetch(request, raise_error=False)
        client.close()
        text = answer.body.decode("utf-8")
        if answer.code != 200:
            raise NotAdmitted(answer.code, answer.headers.get("Retry-After"), text)
        found = CONFIGURATION.search(text)
        if found is None:
            raise NotAdmitted(answer.code, None, text)
        visitor = cls(json.loads(found[1])["kernelId"], time.perf_counter() - started)
        visitor.cookie = cookie_in(*answer.headers.get_list("Set-Cookie"))
        await visitor.connect(urlsplit(page).netloc)
        await visitor._learn()
        visitor.ready_seconds = time.perf_counter() - started
        return visitor

    async def connect(self, netloc: str, protocol: str = PROTOCOL) -> None:
        """Open the websocket to the kernel."""
        where = f"ws://{netloc}/api/kernels/{self.kernel_id}/channels"
        self.socket = await websocket_connect(
            f"{where}?session_id={self.session.session}",
            subprotocols=[protocol],
            max_message_size=MOST_BYTES,
        )

    async def _learn(self) -> None:
        comm = uuid.uuid4().hex
        opened = {"comm_id": comm, "target_name": CONTROL, "data": {}}
        await self.send("comm_open", opened, metadata={"version": CONTROL_VERSION})
        asked = {"comm_id": comm, "data": {"method": "request_states"}}
        await self.send("comm_msg", asked)
        while not self.states:
            message = await self.receive()
            told = message["content"].get("data", {}).get("states")
            if told and message["content"].get("comm_id") == comm:
                self.states = {key: value["state"] for key, value in told.items()}

    async def send(
        self,
        kind: str,
        content: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        channel: str = "shell",
    ) -> str:
        """Send a message to the kernel and return its id."""
        header = self.session.msg_header(kind) | {"date": utcnow().isoformat()}
        parts = {"header": header, "parent_header": {}, "metadata": metadata or {}}
        packed = serialize_msg_to_ws_v1(
            parts | {"content": content}, channel, lambda part: json.dumps(part).encode()
        )
        await self.socket.write_message(packed, binary=True)
        return str(header["msg_id"])

    async def receive(self) -> dict[str, Any]:
        """Return the next message from the kernel.

        Raises ConnectionError if the server has hung up.
        """
        told = await self.socket.read_message()
        if told is None:
            self.hung_up = True
            raise ConnectionError(f"the server hung up: {self.socket.close_reason}")
        _, parts = deserialize_msg_from_ws_v1(told)
        names = ("header", "parent_header", "metadata", "content")
        return {name: json.loads(part) for name, part in zip(names, parts, strict=False)}

    def find(self, css_class: str) -> str:
        """Return the model id of the one widget with a class of the page's style sheet.

        Raises LookupError if there is none.
        """
        for model_id, state in self.states.items():
            if css_class in state.get("_dom_classes", ()):
                return model_id
        raise LookupError(f"expected a widget with the class {css_class}, found none")

    async def turn(self, dial: str, value: float, watched: str) -> tuple[float, float]:
        """Set a dial and wait until the kernel is done with it.

        `dial`, `watched`: model ids of a slider and of what shows its effect. Returns:
        `answered_s`, `done_s`: seconds until `watched` was told its new state, and until the kernel
        was idle.
        """
        started = time.perf_counter()
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        asked = await self.send("comm_msg", {"comm_id": dial, "data": data})
        answered = 0.0
        while True:
            message = await self.receive()
            if message["parent_header"].get("msg_id") != asked:
                continue
            content, kind = message["content"], message["header"]["msg_type"]
            now = time.perf_counter() - started
            if kind == "comm_msg" and content["comm_id"] == watched and not answered:
                answered = now
            if kind == "status" and content["execution_state"] == "idle":
                return answered or now, now

    async def leave(self) -> None:
        """Hang up, as a browser whose page is closed."""
        self.socket.close()
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                while not self.hung_up:
                    await self.receive()
