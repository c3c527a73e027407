"""Which names the server answers to."""

from types import SimpleNamespace

import pytest
from tornado.httputil import HTTPHeaders

from explorer.serve.access import Foreign, host_name, missing_host, names_of


def is_answered(told, given=(), address="127.0.0.1"):
    headers = HTTPHeaders()
    for each in told:
        headers.add("Host", each)
    request = SimpleNamespace(headers=headers)
    return Foreign(names_of(given, address)).match(request) is None


@pytest.mark.parametrize(
    "told", ["localhost", "LOCALHOST:8866", "localhost.", "127.0.0.1:1", "127.1.2.3", "[::1]:8866"]
)
def test_this_machine_is_answered(told):
    assert is_answered([told])


@pytest.mark.parametrize(
    "told",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "user@localhost",
        "localhost/",
        "localhost:8866:8866",
        "localhost, localhost",
        "10.0.0.1",
        "0.0.0.0",
        "[::]",
        "x" * 300,
    ],
)
def test_other_names_are_not(told):
    assert not is_answered([told])
    assert not is_answered([told], address="0.0.0.0")


def test_two_names_at_once_are_none():
    assert not is_answered([])
    assert not is_answered(["localhost", "localhost"])


def test_names_that_are_given_are_answered():
    given = ["Explorer.Example", "192.168.1.5", "fe80::1"]
    for told in ("explorer.example:80", "192.168.1.5", "[fe80::1]:8866", "localhost"):
        assert is_answered([told], given, "0.0.0.0")
    assert not is_answered(["other.example"], given, "0.0.0.0")
    assert is_answered(["192.168.1.5:80"], address="192.168.1.5")


@pytest.mark.parametrize("given", ["http://a.example", "a.example:80", "a/b", "", "a b", "*"])
def test_what_is_no_name_is_told(given):
    with pytest.raises(ValueError, match="host must be a name or an address that visitors type"):
        names_of([given], "0.0.0.0")


def test_whoever_lets_others_in_is_told_to_give_a_name():
    assert "--host explorer.example" in missing_host([], "0.0.0.0")
    assert "--host" in missing_host([], "::")
    assert missing_host(["a.example"], "0.0.0.0") == ""
    assert missing_host([], "127.0.0.1") == missing_host([], "192.168.1.5") == ""
    assert host_name("a" * 254) is None
