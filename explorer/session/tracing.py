"""Tracing a network while other threads run networks.

Torch replaces what every module in the process does when it is called, for as long as it
traces one of them. Here calls from other threads go on as usual, and only one network is
traced at a time, so that what was replaced is put back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from torch import fx, nn

_ONE_AT_A_TIME = threading.Lock()


class _OwnThread(fx.Tracer):
    """Records what its own thread calls."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Record a call, or make it where it is another thread's."""
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """Record that an attribute is read, or give it where another thread reads it."""
        if threading.get_ident() != self._thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)


def trace(net: nn.Module) -> fx.GraphModule | None:
    """Trace a network; None where its control flow depends on its values."""
    with _ONE_AT_A_TIME:
        tracer = _OwnThread()
        try:
            graph = tracer.trace(net)
            return fx.GraphModule(tracer.root, graph)
        except Exception:
            return None
