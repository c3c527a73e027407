"""Networks that no name brings back: the one that was handed over, and those trained here."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from explorer.panels.opening import Network, Opened, open_network

LIMIT_BYTES = 256_000_000


class KeptNetworks:
    """What opens networks again, as far as memory goes.

    Parameters
    ----------
    limit_bytes : int
        Most bytes of weights that are kept; beyond it the oldest go.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._openers: dict[Network, tuple[Callable[[], Opened], int]] = {}
        self._numbers = count(1)

    def __contains__(self, network: Network) -> bool:
        return network in self._openers

    def keep(self, network: Network, n_bytes: int, opener: Callable[[], Opened]) -> None:
        """Keep what opens a network of so many bytes, unless it is too large."""
        self._openers.pop(network, None)
        self._openers[network] = (opener, n_bytes)
        while sum(size for _, size in self._openers.values()) > self._limit:
            del self._openers[next(iter(self._openers))]

    def new_name(self) -> str:
        """Return a name for a network that was trained here."""
        return f"trained here {next(self._numbers)}"

    def open(self, network: Network) -> Opened:
        """Open a network that is kept, or else one that has a name.

        Raises
        ------
        ValueError
            If it is neither.
        """
        if network in self._openers:
            return self._openers[network][0]()
        return open_network(*network)
