"""Kernel websockets turn TCP_NODELAY on, in our server and in any Jupyter Server."""

import asyncio
import contextlib
import json
import socket
from types import SimpleNamespace

import tornado.httpserver
import tornado.web
import tornado.websocket
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.testing import bind_unused_port

import explorer.serve as extension
from explorer.serve.configuration import configuration
from explorer.serve.connection import GuardedConnection, PromptConnection, without_delay


class Plain:
    """A connection of the shape that Jupyter Server uses."""

    def __init__(self, handler):
        self.websocket_handler = handler

    def connect(self):
        return "connected"


def nodelay_of(connection_class):
    """Open a real websocket, connect, and read the option off the server's socket."""
    seen = []

    class Handler(tornado.websocket.WebSocketHandler):
        def open(self):
            answer = connection_class(self).connect() if connection_class else None
            stream = self.ws_connection.stream.socket
            seen.append((answer, stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
            self.close()

    async def run():
        listening, port = bind_unused_port()
        server = tornado.httpserver.HTTPServer(tornado.web.Application([("/", Handler)]))
        server.add_socket(listening)
        client = await tornado.websocket.websocket_connect(f"ws://127.0.0.1:{port}/")
        await client.read_message()
        client.close()
        server.stop()

    asyncio.run(run())
    return seen[0]


def test_connecting_turns_nodelay_on():
    answer, option = nodelay_of(without_delay(Plain))
    assert answer == "connected"
    assert option != 0


def test_without_it_nodelay_is_off():
    assert nodelay_of(Plain) == ("connected", 0)


def test_a_class_is_wrapped_once():
    once = without_delay(ZMQChannelsWebsocketConnection)
    assert issubclass(once, ZMQChannelsWebsocketConnection)
    assert once.__name__ == ZMQChannelsWebsocketConnection.__name__
    assert without_delay(once) is once
    assert without_delay(PromptConnection) is PromptConnection


def test_the_extension_wraps_what_the_server_uses():
    settings = {"kernel_websocket_connection_class": Plain}
    server = SimpleNamespace(web_app=SimpleNamespace(settings=settings))
    extension._load_jupyter_server_extension(server)
    assert issubclass(settings["kernel_websocket_connection_class"], Plain)
    assert nodelay_of(settings["kernel_websocket_connection_class"])[1] != 0


def test_the_extension_is_announced_and_switched_on():
    points = extension._jupyter_server_extension_points()
    assert points == [{"module": "explorer.serve"}]
    where = "etc/jupyter/jupyter_server_config.d/compression-explorer.json"
    with contextlib.closing(open_in_package(where)) as file:
        assert json.load(file)["ServerApp"]["jpserver_extensions"] == {points[0]["module"]: True}


def open_in_package(name):
    from importlib.resources import files

    return files(extension).joinpath(name).open(encoding="utf-8")


def test_the_page_is_served_with_it():
    chosen = configuration(8866).Voila.kernel_websocket_connection_class
    assert chosen is GuardedConnection
    assert issubclass(chosen, PromptConnection)
    assert issubclass(chosen, ZMQChannelsWebsocketConnection)
