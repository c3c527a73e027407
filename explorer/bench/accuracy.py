"""How soon accuracy follows a new value, and how soon it lets go of an old one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import torch
from torch import Tensor

from explorer.bench.rows import BenchRow, Finding, Skipped
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort, Timing
from explorer.compress.prune import Prune
from explorer.measure.accuracy import evaluate
from explorer.measure.result import Result
from explorer.session.session import Session

PLAIN = "explorer.evaluate on the same data"
OLD, NEW = 0.1, 0.95
PATIENCE_S = 60.0


class _Watch:
    """Notes when results come, and when the old recipe's last operation ends.

    Which recipe a forward pass belongs to is seen by one weight, of middle magnitude
    in its layer, that only the new recipe makes zero.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.first = 0.0
        self.old_end = 0.0
        self.old_runs = threading.Event()
        net = session.compressed_net()
        weight = net.get_parameter(f"{session.layers[0]}.weight").data.view(-1)
        middle = int(weight.abs().argsort()[weight.numel() // 2])
        self._probe = weight[middle : middle + 1]
        net.get_submodule(session.layers[0]).register_forward_pre_hook(self._before)
        for module in net.modules():
            if not any(module.children()):
                module.register_forward_hook(self._after)
        session.observe(self._result)

    def _old(self) -> bool:
        return bool(self._probe != 0)

    def _before(self, module: object, inputs: object) -> None:
        if self._old():
            self.old_runs.set()

    def _after(self, module: object, inputs: object, scores: Tensor) -> None:
        if self._old():
            self.old_end = time.perf_counter()

    def _result(self, result: Result) -> None:
        self.first = self.first or time.perf_counter()

    def estimates(self) -> tuple[float, float]:
        """Submit the new recipe; return seconds to the first and to the last estimate."""
        self.first = 0.0
        started = time.perf_counter()
        self.session.submit([Prune(sparsity=NEW)])
        self.session.wait(PATIENCE_S)
        ended = time.perf_counter()
        return min(self.first or ended, ended) - started, ended - started

    def stop(self) -> float:
        """Submit the new recipe while the old one is evaluated; return seconds to its end."""
        self.old_runs.clear()
        self.session.submit([Prune(sparsity=OLD)])
        self.old_runs.wait(PATIENCE_S)
        started = time.perf_counter()
        self.session.submit([Prune(sparsity=NEW)])
        self.session.wait(PATIENCE_S)
        return max(0.0, self.old_end - started)


def following(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Time a new value's first and complete accuracy, and the end of an old one's evaluation.

    Yields
    ------
    BenchRow or Skipped
        Baseline: one plain evaluation on the same data.
    """
    if subject.data is None:
        yield Skipped(subject.name, "accuracy", "the network comes without data")
        return
    session = Session(subject.net, subject.data, device="cpu")
    watch = _Watch(session)
    seconds = [_round(subject, watch) for _ in range(effort.n_runs + 1)]
    session.close()
    first, complete, stop, plain = map(Timing, zip(*seconds[1:], strict=True))
    for name, timing in (
        ("new value to first estimate", first),
        ("new value to complete accuracy", complete),
        ("new value to the old evaluation's end", stop),
    ):
        yield BenchRow.of(subject.name, "accuracy", name, timing, PLAIN, plain)


def _round(subject: Subject, watch: _Watch) -> tuple[float, float, float, float]:
    stop = watch.stop()
    watch.session.submit([Prune(sparsity=OLD)])
    watch.session.wait(PATIENCE_S)
    first, complete = watch.estimates()
    started = time.perf_counter()
    with torch.inference_mode():
        evaluate(subject.net, subject.data.eval)
    return first, complete, stop, time.perf_counter() - started
