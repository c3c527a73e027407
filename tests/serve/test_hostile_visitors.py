"""Visitors who mean ill: from other sites, by the hundred, slowly, and with absurd values."""

import asyncio
import socket
import urllib.request
from urllib.parse import urlencode, urlsplit

import pytest

from explorer.bench.visitor import Visitor
from explorer.serve.application import MOST
from explorer.serve.connection import MOST_PAGES
from explorer.serve.messages import PROTOCOL

ABSURD = [
    float("nan"),
    float("inf"),
    1e308,
    -1e308,
    10**400,
    None,
    True,
    "x" * 1_000_000,
    "<script>alert(1)</script>",
    [],
    {"a": {"b": 1}},
    "\ud800",
    {"\udfff": ["\ud800"]},
]


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Protocol": PROTOCOL,
}


class Sockets:
    """Connections to a visitor's kernel, closed at the end."""

    def __init__(self, server, visitor):
        self.place = urlsplit(server.root)
        self.path = f"/api/kernels/{visitor.kernel_id}/channels?session_id=other"
        self.opened = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.opened:
            each.close()

    def open(self, **headers):
        """Open one more; the status of the answer."""
        connection = socket.create_connection((self.place.hostname, self.place.port), timeout=30)
        self.opened.append(connection)
        told = {"Host": self.place.netloc} | UPGRADE | headers
        lines = [f"GET {self.path} HTTP/1.1", *(f"{key}: {told[key]}" for key in told)]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection.recv(12).split()[1]


def visit(server, conversation):
    async def run():
        visitor = await Visitor.enter(server.page)
        try:
            return await asyncio.wait_for(conversation(visitor), 60)
        finally:
            await visitor.leave()
            data = urlencode({"_xsrf": visitor.cookie}).encode()
            address = f"{server.root}voila/api/shutdown/{visitor.kernel_id}"
            cookie = {"Cookie": f"_xsrf={visitor.cookie}"}
            request = urllib.request.Request(address, data=data, headers=cookie)
            (await asyncio.to_thread(urllib.request.urlopen, request)).close()

    return asyncio.run(run())


def test_a_page_of_another_site_is_not_let_to_the_kernel(server):
    async def attack(visitor):
        with Sockets(server, visitor) as sockets:
            there = await asyncio.to_thread(sockets.open, Origin="https://elsewhere.example")
            here = await asyncio.to_thread(sockets.open, Origin=server.root.rstrip("/"))
        return there, here

    assert visit(server, attack) == (b"403", b"101")


HOSTS = ["evil.example", "evil.example:{port}", "localhost.evil.example", "10.0.0.1", "", "a, b"]


def test_a_name_that_leads_here_from_another_site_is_not_answered(server):
    """Neither pages nor websockets, whose Origin such a page's browser tells as well."""
    place = urlsplit(server.root)
    names = [host.format(port=place.port) for host in HOSTS]

    async def attack(visitor):
        with Sockets(server, visitor) as sockets:
            return [
                await asyncio.to_thread(sockets.open, Host=name, Origin=f"http://{name}")
                for name in names
            ]

    assert set(visit(server, attack)) <= {b"403", b"400"}
    for name in names:
        for path in ("/", "/app", "/voila/static/voila.js", "/nowhere"):
            with socket.create_connection((place.hostname, place.port), timeout=30) as attacker:
                attacker.sendall(f"GET {path} HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
                answer = b"".join(iter(lambda: attacker.recv(65536), b""))
            assert answer.split()[1] in (b"403", b"400")
            if b" 403 " in answer[:20]:
                assert b"compression-explorer app --host NAME" in answer


def test_one_kernel_has_so_many_connections_and_no_more(server):
    async def attack(visitor):
        with Sockets(server, visitor) as sockets:
            return [await asyncio.to_thread(sockets.open) for _ in range(MOST_PAGES)]

    assert visit(server, attack) == [b"101"] * (MOST_PAGES - 1) + [b"429"]


def test_absurd_values_leave_the_page_working(server):
    async def attack(visitor):
        dial, label = visitor.find("dial"), visitor.find("shown")
        for value in ABSURD:
            await visitor.turn(dial, value, label)
        await visitor.turn(dial, 7, label)
        return True

    assert visit(server, attack)


def test_very_many_updates_are_read_and_the_last_is_answered(server):
    """The kernel is given few of them; the page is told of every one that it is done with."""

    async def attack(visitor):
        dial, label = visitor.find("dial"), visitor.find("shown")
        data = {"method": "update", "state": {"value": 0}, "buffer_paths": []}
        for number in range(5000):
            data["state"]["value"] = number % 97
            await visitor.send("comm_msg", {"comm_id": dial, "data": data})
        last = await visitor.send(
            "comm_msg", {"comm_id": dial, "data": data | {"state": {"value": 98}}}
        )
        idle, shown = set(), ""
        while last not in idle:
            told = await visitor.receive()
            content = told["content"]
            if content.get("execution_state") == "idle":
                idle.add(told["parent_header"].get("msg_id"))
            if content.get("comm_id") == label:
                shown = content["data"]["state"].get("value", shown)
        return len(idle), shown

    count, shown = visit(server, attack)
    assert shown == "98"
    assert count >= 5001


MALFORMED = [
    {},
    {"comm_id": []},
    {"comm_id": "unknown", "data": {"method": "update", "state": {"value": 1}}},
    {"comm_id": "dial"},
    {"comm_id": "dial", "data": None},
    {"comm_id": "dial", "data": {"method": "update"}},
    {"comm_id": "dial", "data": {"method": "update", "state": {}, "buffer_paths": [["x"]]}},
    {"comm_id": "dial", "data": {"method": "custom", "content": None}},
    {"comm_id": "dial", "data": {"method": "\ud800"}},
]


def test_malformed_messages_are_answered_and_leave_the_page_working(server):
    async def attack(visitor):
        dial, label = visitor.find("dial"), visitor.find("shown")
        for content in MALFORMED:
            told = {**content, "comm_id": dial} if content.get("comm_id") == "dial" else content
            asked = await visitor.send("comm_msg", told)
            while (await visitor.receive())["parent_header"].get("msg_id") != asked:
                pass
        await visitor.turn(dial, 8, label)
        return True

    assert visit(server, attack)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"Content-Length: 1000000000\r\n\r\n", b"400"),
        (b"X-Long: " + b"x" * (MOST["max_header_size"] + 1) + b"\r\n\r\n", b"431"),
    ],
)
def test_what_is_too_long_is_not_waited_for(server, told, status):
    place = urlsplit(server.root)
    with socket.create_connection((place.hostname, place.port), timeout=30) as attacker:
        attacker.sendall(b"POST /voila/api/shutdown/x HTTP/1.1\r\nHost: x\r\n" + told)
        answer = attacker.recv(100)
    assert answer == b"" or status in answer.split(b"\r\n")[0]


def test_who_says_nothing_is_hung_up_on():
    assert 0 < MOST["body_timeout"] <= MOST["idle_connection_timeout"] <= 120
