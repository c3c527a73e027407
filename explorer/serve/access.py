"""Who may ask: host names, and the visitor to whom a kernel belongs."""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import time
from collections.abc import Iterable
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from jupyter_server.services.kernels.handlers import KernelHandler
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher
from tornado.web import HTTPError
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler

ADDRESS = "127.0.0.1"
LOCAL = "localhost"
HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9_.-]{0,252}))(?::\d{1,5})?")


def host_name(given: str) -> str | None:
    """Return the name or address in a Host header; None where it is not one.

    Examples
    --------
    >>> host_name("LocalHost:8866"), host_name("[::1]:8866"), host_name("a.example, b.example")
    ('localhost', '::1', None)
    """
    found = HOST.fullmatch(given.strip().lower())
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
        given = request.headers.get_list("Host")
        name = host_name(given[0]) if len(given) == 1 else None
        return None if name is not None and self._is_ours(name) else {}

    def _is_ours(self, name: str) -> bool:
        try:
            own = ipaddress.ip_address(name).is_loopback
        except ValueError:
            own = name == LOCAL
        return own or name in self.names


HALF = 16


class Tokens:
    """The tokens that one server gives out."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def new(self) -> bytes:
        """Return a token that nobody has yet."""
        number = secrets.token_bytes(HALF)
        return number + self._mark(number)

    def is_own(self, token: bytes | None) -> bool:
        """Tell whether this server gave a token out."""
        if token is None or len(token) != 2 * HALF:
            return False
        return hmac.compare_digest(self._mark(token[:HALF]), token[HALF:])

    def _mark(self, number: bytes) -> bytes:
        return hmac.digest(self._key, number, sha256)[:HALF]


class WithToken:
    """A handler whose XSRF token is one of the server's own; any other counts as none."""

    settings: dict[str, Any]
    get_cookie: Any
    _decode_xsrf_token: Any
    _own_token: tuple[int | None, bytes, float] | None = None

    @property
    def visitor_token(self) -> bytes:
        """The visitor's token, a new one where the request brings none."""
        return self._get_raw_xsrf_token()[1]

    def _get_raw_xsrf_token(self) -> tuple[int | None, bytes, float]:
        if self._own_token is None:
            cookie = self.get_cookie("_xsrf")
            version, token, at = self._decode_xsrf_token(cookie) if cookie else (None, None, None)
            tokens: Tokens = self.settings["visitor_tokens"]
            if token is None or at is None or not tokens.is_own(token):
                version, token, at = None, tokens.new(), time.time()
            self._own_token = version, token, at
        return self._own_token

    def require_own(self, kernel_id: str) -> None:
        """Raise HTTPError unless a kernel that runs was given to this very visitor."""
        kernels: Any = self.settings["kernel_manager"]
        if kernel_id not in kernels:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        owner = kernels.visits.owner(kernel_id)
        if owner is None or not hmac.compare_digest(owner, self.visitor_token):
            raise HTTPError(HTTPStatus.FORBIDDEN, "another visitor's kernel")


class EndKernel(WithToken, VoilaShutdownKernelHandler):
    """Ends a visitor's kernel when its page is closed."""

    async def post(self, kernel_id: str) -> None:
        """End the kernel, if it is the visitor's own."""
        self.require_own(kernel_id)
        await super().post(kernel_id)


class KernelState(WithToken, KernelHandler):
    """Tells whether a kernel runs, and ends it."""

    async def delete(self, kernel_id: str) -> None:
        """End the kernel, if it is the visitor's own."""
        self.require_own(kernel_id)
        ended: Any = super().delete(kernel_id)
        await ended
