"""Quick recovery: bursts of training steps for a network that was just compressed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from torch import nn

from explorer.compress.methods.share import Shared
from explorer.measure.metric import Metric
from explorer.stopping import Stop
from explorer.train.masks import Masks, masks_of
from explorer.train.resume import record_of
from explorer.train.run import Run
from explorer.train.samples import Samples
from explorer.train.settings import TrainSettings, check_positive
from explorer.train.sharing import SHARED
from explorer.train.training import Records, judged_by, validate

RECOVERY = TrainSettings(n_epochs=20, learning_rate=0.05, batch_size=64)
BURST_S = 0.05


def recover(
    net: nn.Module,
    data: Any,
    *,
    masks: Masks | None = None,
    groups: Mapping[str, Shared] | None = None,
    settings: TrainSettings | None = None,
    budget_s: float = 2.0,
    burst_s: float = BURST_S,
    should_stop: Stop | None = None,
    metric: Metric | Callable[[nn.Module], Any] | None = None,
) -> Records:
    """Train a compressed network for a moment, so that its accuracy comes back.

    Nothing is computed between two records, so that whoever asks can do other things, or
    stop at once. The learning rate falls to its end over the steps that fit in `budget_s`.

    Parameters
    ----------
    net : Module
        With the compressed weights. Left unchanged.
    data : Data, Dataset or pair of Tensor
        Samples to tune on; of a `Data` its ``tune`` part.
    masks : mapping of str to Tensor, optional
        Weights that may live; by default those that are not zero, in layers without groups.
    groups : mapping of str to Shared, optional
        Layers whose weights share values.
    settings : TrainSettings, optional
        By default SGD, or Adam where layers share values. Its ``max_steps`` is set from
        what the first burst shows of the speed.
    budget_s : float
        Seconds of compute, positive.
    burst_s : float
        Seconds of compute between two records, positive; at least one step is done.
    should_stop : callable, optional
        Asked before each step; once it is true, a last record is yielded.
    metric : Metric or callable, optional
        Called with a copy of the network before each record, whose ``validation`` it becomes;
        what that takes is not counted.

    Yields
    ------
    TrainRecord

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient neural
    networks". NeurIPS 2015. arXiv:1506.02626.
    """
    check_positive("recover", "budget_s", budget_s)
    check_positive("recover", "burst_s", burst_s)
    if masks is None:
        masks = {name: mask for name, mask in masks_of(net).items() if name not in (groups or {})}
    chosen = settings or (replace(SHARED, n_epochs=RECOVERY.n_epochs) if groups else RECOVERY)
    run = Run(net, Samples(data), chosen, masks=masks, groups=groups)
    return _bursts(run, budget_s, burst_s, should_stop, judged_by(None, None, metric))


def _bursts(
    run: Run, budget_s: float, burst_s: float, should_stop: Stop | None, by: Any
) -> Records:
    stopped = False
    while not (stopped or run.finished or run.progress.elapsed_s >= budget_s):
        stopped = _steps(run, time.perf_counter() + burst_s, should_stop)
        _fit(run, budget_s)
        yield record_of(run, validate(run, by, should_stop))


def _steps(run: Run, until: float, should_stop: Stop | None) -> bool:
    """Do one step, and more until a time of the performance counter; tell whether to stop."""
    while not run.finished:
        if should_stop and should_stop():
            return True
        run.step()
        if time.perf_counter() >= until:
            break
    return False


def _fit(run: Run, budget_s: float) -> None:
    """Let the run's last step be the last that fits the budget at the pace so far."""
    done = run.progress
    if done.step:
        run.limit(max(done.step, int(budget_s * done.step / done.elapsed_s)))
