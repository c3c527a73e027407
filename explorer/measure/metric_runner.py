"""Calls a metric where it can do no harm: on a copy, in a thread that may be left alone."""

from __future__ import annotations

import copy
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from explorer.measure.metric import Metric, Score
from explorer.measure.rounds import Stop, never

LONGEST_S = 600.0
POLL_S = 0.05
PATIENCE_S = 5.0
MOST_CALLS = 3


@dataclass(eq=False)
class Call:
    """One call of a metric. `told`: what it returned. `error`: what it raised."""

    started: float = field(default_factory=time.monotonic)
    done: threading.Event = field(default_factory=threading.Event)
    told: Any = None
    error: BaseException | None = None

    @property
    def seconds(self) -> float:
        """How long ago it was begun."""
        return time.monotonic() - self.started


class MetricRunner:
    """Asks a metric about one network after the other; several threads may use it at once.

    The metric gets a copy, so that whatever it does to it spoils no later figure. A call that
    does not return is left behind in its own thread; a few of those are borne.

    `longest_s`: seconds after which a call is given up, where the metric has no limit of its own.
    """

    def __init__(self, metric: Metric, longest_s: float = LONGEST_S) -> None:
        self.metric = metric
        self._longest_s = metric.longest_s or longest_s
        self._left: list[Call] = []
        self._lock = threading.Lock()

    def ask(self, net: nn.Module, stale: Stop = never) -> Score | None:
        """Return what the metric tells of a network; None where `stale` said True meanwhile.

        `net`: left unchanged. `stale`: asked every 50 ms. Raises TimeoutError if the metric takes
        longer than it may. Raises TypeError, ValueError if it tells no finite number. Raises
        RuntimeError if it tries to end the program, or too many calls before have not returned.
        Raises Exception what it raises itself.
        """
        if not self._may_begin(stale):
            return None
        call = self._begun(copy.deepcopy(net))
        while not call.done.wait(POLL_S):
            if stale() or call.seconds > self._longest_s:
                with self._lock:
                    self._left.append(call)
                if call.seconds <= self._longest_s:
                    return None
                raise TimeoutError(
                    f"metric: {self.metric.name} has not answered within {self._longest_s:g} s and "
                    "was given up; where it needs longer, give ex.Metric(function, longest_s=...)"
                )
        if call.error is not None:
            raise _plain(call.error) from call.error
        return self.metric.score(call.told)

    def _may_begin(self, stale: Stop) -> bool:
        """Wait for calls that were left, a little; raises RuntimeError where too many still run."""
        started = time.monotonic()
        while running := self._running():
            if stale():
                return False
            if all(call.seconds > PATIENCE_S for call in running):
                break
            if time.monotonic() - started > PATIENCE_S:
                break
            running[-1].done.wait(POLL_S)
        if len(running) >= MOST_CALLS:
            raise RuntimeError(
                f"metric: {len(running)} earlier calls of {self.metric.name} have not returned "
                "yet, so it is not called again until one does"
            )
        return True

    def _running(self) -> list[Call]:
        with self._lock:
            self._left = [call for call in self._left if not call.done.is_set()]
            return list(self._left)

    def _begun(self, net: nn.Module) -> Call:
        """Start a call in a thread that does not keep the program alive."""
        call = Call()
        grad = torch.is_grad_enabled()

        def work() -> None:
            try:
                with torch.set_grad_enabled(grad):
                    call.told = self.metric.function(net)
            except BaseException as error:
                call.error = error
            finally:
                call.done.set()

        threading.Thread(target=work, name="explorer-metric", daemon=True).start()
        return call


def _plain(error: BaseException) -> Exception:
    """Return what a metric raised, where it would end a thread as an error that does not."""
    ends = (StopIteration, StopAsyncIteration)
    if isinstance(error, Exception) and not isinstance(error, ends):
        return error
    told = f"({error})" if str(error) else ""
    return RuntimeError(
        f"metric: raised {type(error).__name__}{told}; a metric returns a number and ends nothing"
    )
