"""Whose kernel it is: a token that the server made for a visitor, and that no other has.

The token is a random number and a keyed hash of it, so that only those that this server gave out
count; which kernel was given to which token is kept with the visits. The page sends it back when it
ends its kernel.
"""

from __future__ import annotations

import hmac
import secrets
import time
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from jupyter_server.services.kernels.handlers import KernelHandler
from tornado.web import HTTPError
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler

__all__ = ["EndKernel", "KernelState", "Tokens", "WithToken"]

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
