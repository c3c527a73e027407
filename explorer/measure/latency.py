"""Measured times: jobs timed in turn, and the network before and after compression."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import eval_mode, forward, random_input
from explorer.stopping import Stop, never


def timed_rounds(
    jobs: Mapping[str, Callable[[], object]],
    n_runs: int,
    budget_s: float,
    should_stop: Stop = never,
) -> dict[str, np.ndarray]:
    """Run all jobs once a round, every other round in reverse order, and time each run.

    A first round warms up and is not counted.

    `n_runs`: rounds at most, from 1 up. `budget_s`: seconds after the warm-up when no further round
    is begun; one is run in any case. `should_stop`: asked before each run; where it returns True,
    the round under way is dropped. Returns: seconds of each run, under the names of the jobs; empty
    where it was stopped before the first round was complete. Raises ValueError if `n_runs` is below
    1.
    """
    if not isinstance(n_runs, int) or n_runs < 1:
        raise ValueError(f"n_runs: expected a whole number from 1 up, got {n_runs!r}")
    rounds: list[dict[str, float]] = []
    finished = _one_round(jobs, should_stop)
    started = time.perf_counter()
    while finished is not None and len(rounds) < n_runs:
        if rounds and time.perf_counter() - started >= budget_s:
            break
        order = reversed(list(jobs)) if len(rounds) % 2 else list(jobs)
        finished = _one_round({name: jobs[name] for name in order}, should_stop)
        if finished is not None:
            rounds.append(finished)
    return {name: np.array([seconds[name] for seconds in rounds]) for name in jobs}


def _one_round(
    jobs: Mapping[str, Callable[[], object]], should_stop: Stop
) -> dict[str, float] | None:
    seconds = {}
    for name, job in jobs.items():
        if should_stop():
            return None
        started = time.perf_counter()
        job()
        seconds[name] = time.perf_counter() - started
    return seconds


@dataclass(frozen=True)
class SpeedRow:
    """Two times of the same work.

    `label`: what was timed. `before_ms`, `after_ms`: milliseconds with the original and with the
    compressed weights, positive. `note`: how it was timed, or why it came out so; else "". Raises
    ValueError if a time is not positive.
    """

    label: str
    before_ms: float
    after_ms: float
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("before_ms", "after_ms"):
            if not getattr(self, name) > 0:
                raise ValueError(
                    f"{name} of {self.label!r} must be positive, got {getattr(self, name)}"
                )

    @property
    def speedup(self) -> float:
        """Time before / time after."""
        return self.before_ms / self.after_ms


@dataclass(frozen=True)
class Speed:
    """Times before and after."""

    rows: tuple[SpeedRow, ...]


N_RUNS = 100
BUDGET_S = 0.6


@dataclass(frozen=True)
class Latency:
    """Measured wall time of one inference on this machine's CPU.

    `median_ms`, `low_ms`, `high_ms`: median and quartiles over the runs, in milliseconds for the
    whole batch. `n_runs`: timed runs. `batch_size`: inputs in a run.
    """

    median_ms: float
    low_ms: float
    high_ms: float
    n_runs: int
    batch_size: int

    @classmethod
    def of(cls, seconds: np.ndarray, batch_size: int) -> Latency:
        """Make the record from the durations of the runs, in seconds."""
        low, median, high = (float(q) for q in np.percentile(1000 * seconds, (25, 50, 75)))
        return cls(median, low, high, len(seconds), batch_size)


@dataclass(frozen=True)
class Comparison:
    """Measured wall times of two networks that took turns.

    `speedup`: median, over the rounds, of the first one's time divided by the second one's: above 1
    where the second is faster. `low`, `high`: quartiles of the same.
    """

    first: Latency
    second: Latency
    speedup: float
    low: float
    high: float


def compare(
    first: nn.Module,
    second: nn.Module,
    input_shape: Sequence[int],
    batch_size: int = 1,
    n_runs: int = N_RUNS,
    *,
    budget_s: float = BUDGET_S,
    should_stop: Stop = never,
) -> Comparison | None:
    """Measure two networks in turn, so that what else the machine does slows both alike.

    `first`, `second`: such as the original and the compressed network, on the CPU; both take the
    same input. Run in eval mode; left unchanged, training flags included. `input_shape`: shape of
    one input, without the batch, such as ``(3, 224, 224)``. `batch_size`: inputs in a run.
    `n_runs`: timed runs of each at most, after one that warms up. `budget_s`: seconds after the
    warm-up when no further round, a run of each, is begun; one is in any case. `should_stop`: asked
    before each run; where it returns True, nothing more is measured. Returns: none where it was
    stopped before both had a timed run. Raises ValueError if a network is not on the CPU or does
    not take the input, or a count is below 1.

    Examples
    --------
    >>> from torch import nn
    >>> found = compare(nn.Linear(8, 4), nn.Identity(), (8,), n_runs=3)
    >>> found.first.n_runs, found.low <= found.speedup <= found.high
    (3, True)
    """
    nets = {"first": first, "second": second}
    seconds = _rounds(nets, input_shape, batch_size, n_runs, budget_s, should_stop)
    if not len(seconds["first"]):
        return None
    ratios = seconds["first"] / seconds["second"]
    low, median, high = (float(q) for q in np.percentile(ratios, (25, 50, 75)))
    return Comparison(
        Latency.of(seconds["first"], batch_size),
        Latency.of(seconds["second"], batch_size),
        median,
        low,
        high,
    )


def _rounds(
    nets: dict[str, nn.Module],
    input_shape: Sequence[int],
    batch_size: int,
    n_runs: int,
    budget_s: float,
    should_stop: Stop,
) -> dict[str, np.ndarray]:
    """Durations in seconds of each network's runs."""
    with ExitStack() as stack:
        jobs = {}
        for name, net in nets.items():
            _check_on_cpu(net)
            jobs[name] = partial(_run_copy, net, random_input(net, input_shape, batch_size))
            stack.enter_context(eval_mode(net))
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(torch.inference_mode())
        return timed_rounds(jobs, n_runs, budget_s, should_stop)


def _check_on_cpu(net: nn.Module) -> None:
    device = next((p.device for p in net.parameters() if p.device.type != "cpu"), None)
    if device is not None:
        raise ValueError(
            f"net is on {device}, and the time is measured on the CPU: hand over a copy there, "
            "as in copy.deepcopy(net).cpu()"
        )


def _run_copy(net: nn.Module, inputs: Tensor) -> None:
    """Run a network on a copy of its inputs, which it may write into."""
    forward(net, inputs.clone())
