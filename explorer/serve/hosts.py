"""The names that the server answers to.

A page of another site can have its own name lead to this machine (DNS rebinding); its requests then
look as if they came from the page itself, but for the name that they ask for.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher

__all__ = ["Foreign", "host_name", "missing_host", "names_of"]

LOCAL = "localhost"
HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9_.-]{0,252}))(?::\d{1,5})?")


def host_name(told: str) -> str | None:
    """Return the name or address in a Host header; None where it is not one.

    Examples
    --------
    >>> host_name("LocalHost:8866"), host_name("[::1]:8866"), host_name("a.example, b.example")
    ('localhost', '::1', None)
    """
    found = HOST.fullmatch(told.strip().lower())
    return found[1].strip("[]").removesuffix(".") if found else None


def names_of(given: Iterable[str], address: str) -> frozenset[str]:
    """Return the names that are answered to besides those of this machine alone.

    `given`: names or addresses that visitors type, without a port. `address`: what is listened on;
    one that stands for all of the machine's is no name. Raises ValueError if one is neither a name
    nor an address.
    """
    found = set()
    for each in given:
        bracketed = f"[{each}]" if each.count(":") > 1 else each
        name = host_name(bracketed)
        if name is None or bracketed.strip().lower().strip("[]").removesuffix(".") != name:
            raise ValueError(
                "host must be a name or an address that visitors type, without a scheme, a port or "
                f"a path, such as explorer.example or 192.168.1.5; got {each!r:.80}"
            )
        found.add(name)
    if not _is_any(address):
        found.add(address.lower())
    return frozenset(found)


def missing_host(given: Iterable[str], address: str) -> str:
    """Return what to say where others are let in, but no name of theirs is answered to."""
    if list(given) or not _is_any(address):
        return ""
    return (
        f"It listens on {address}, and answers to localhost only. Give the name or address that "
        "visitors type: --host explorer.example (once for each)"
    )


def _is_any(address: str) -> bool:
    try:
        return address == "" or ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


class Foreign(Matcher):
    """Matches requests for a name that the server does not answer to.

    `names`: answered to, besides this machine's own.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return None for a request that is answered."""
        told = request.headers.get_list("Host")
        name = host_name(told[0]) if len(told) == 1 else None
        return None if name is not None and self._is_ours(name) else {}

    def _is_ours(self, name: str) -> bool:
        try:
            own = ipaddress.ip_address(name).is_loopback
        except ValueError:
            own = name == LOCAL
        return own or name in self.names
