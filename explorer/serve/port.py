"""Choosing the port that the page is served on."""

from __future__ import annotations

import socket

__all__ = ["ADDRESS", "DEFAULT_PORT", "any_free_port", "choose_port"]

ADDRESS = "127.0.0.1"
DEFAULT_PORT = 8866


def choose_port(port: int | None = None) -> int:
    """Return a port of the loopback address that nothing listens on.

    `port`: the port wanted. Without it, 8866 if that is free, else any free port. Returns: the
    port, in [1, 65535]. Raises ValueError if `port` is out of range, not allowed, or taken.
    """
    if port is None:
        return DEFAULT_PORT if _problem(DEFAULT_PORT) is None else any_free_port()
    if not 1 <= port <= 65535:
        raise ValueError(f"port must be in [1, 65535], got {port}: leave it out to have one chosen")
    problem = _problem(port)
    if problem is not None:
        raise ValueError(
            f"port must be free to listen on, got {port} ({problem}): "
            "give another, or leave it out to have one chosen"
        )
    return port


def _problem(port: int) -> str | None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((ADDRESS, port))
        except OSError as error:
            return error.strerror
    return None


def any_free_port() -> int:
    """Return a port that nothing listens on, another one at nearly every call."""
    with socket.socket() as trial:
        trial.bind((ADDRESS, 0))
        return int(trial.getsockname()[1])
