"""Which port the page is served on."""

import socket

import pytest

from explorer.serve import server as module
from explorer.serve.access import ADDRESS
from explorer.serve.server import choose_port


@pytest.fixture
def taken():
    with socket.socket() as other:
        other.bind((ADDRESS, 0))
        other.listen()
        yield other.getsockname()[1]


def test_another_port_where_the_usual_one_is_taken(taken, monkeypatch):
    monkeypatch.setattr(module, "DEFAULT_PORT", taken)
    chosen = choose_port()
    assert chosen != taken
    assert choose_port(chosen) == chosen


def test_the_usual_port_where_it_is_free(taken, monkeypatch):
    free = choose_port()
    monkeypatch.setattr(module, "DEFAULT_PORT", free)
    assert choose_port() == free


def test_a_taken_port_is_refused(taken):
    with pytest.raises(ValueError, match=f"port must be free to listen on, got {taken} .*give"):
        choose_port(taken)


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_port_out_of_range_is_refused(port):
    with pytest.raises(ValueError, match=rf"port must be in \[1, 65535\], got {port}"):
        choose_port(port)
