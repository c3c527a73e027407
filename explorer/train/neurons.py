"""DropNeuron: penalties drive neurons to zero while training, then they are taken out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.networks.plain import copied
from explorer.compress.networks.removal.removal import remove_neurons
from explorer.compress.networks.weights import compressible
from explorer.compress.records.record import as_matrix
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Metric, Score
from explorer.stopping import Stop
from explorer.train.penalties import L1, IncomingNorm, OutgoingNorm, Penalty, check_penalties
from explorer.train.record import TrainRecord
from explorer.train.run import Run
from explorer.train.samples import Samples
from explorer.train.settings import TrainSettings, check_positive
from explorer.train.training import judged, judged_by, records

THRESHOLD = 1e-2
PENALTIES = (L1(strength=1e-5), IncomingNorm(strength=2e-3), OutgoingNorm(strength=2e-3))


@dataclass(frozen=True, eq=False)
class Dropped:
    """A network whose dead neurons were taken out.

    `net`: with smaller layers; in eval mode. `thresholded`: the network with its small weights at
    zero, all neurons still there; in eval mode. Gives the same outputs, but for rounding.
    `neurons`: for each layer its neurons before and after. `weights`: for each layer its weights
    before, and those after that are not zero. `notes`: layers that were left alone, and why.
    `before`, `after`: of `thresholded` and of `net` on held-out samples.
    """

    net: nn.Module
    thresholded: nn.Module
    neurons: Mapping[str, tuple[int, int]]
    weights: Mapping[str, tuple[int, int]]
    notes: Mapping[str, str]
    before: Accuracy | Score | None = None
    after: Accuracy | Score | None = None


def drop_neurons(
    net: nn.Module,
    data: Any,
    settings: TrainSettings | None = None,
    *,
    penalties: tuple[Penalty, ...] = PENALTIES,
    threshold: float = THRESHOLD,
    validation: Any = None,
    should_stop: Stop | None = None,
    metric: Metric | Callable[[nn.Module], Any] | None = None,
) -> Generator[TrainRecord | Dropped, None, None]:
    """Train with penalties on neurons, then take out those without connections.

    Parameters
    ----------
    net : Module
        Left unchanged.
    data : Data, Dataset or pair of Tensor
        As for `train`.
    settings : TrainSettings, optional
    penalties : tuple of Penalty
        By default L1, and the norms of incoming and of outgoing weights.
    threshold : float
        After training, weights with ``|w| < threshold`` become zero.
    validation, should_stop, metric
        As for `train`; a run that is stopped early drops neurons all the same.

    Yields
    ------
    TrainRecord
        As `train` does.
    Dropped
        Once, last.

    References
    ----------
    Pan, Dong, Guo. "DropNeuron: simplifying the structure of deep neural networks".
    2016. arXiv:1606.07326.
    """
    check_positive("drop_neurons", "threshold", threshold, or_zero=True)
    samples = Samples(data)
    run = Run(net, samples, settings or TrainSettings(), check_penalties(penalties))
    held = judged_by(data, validation, metric)
    shape = tuple(samples.take(torch.zeros(1, dtype=torch.int64))[0].shape[1:])
    return _drop(run, threshold, shape, held, should_stop)


def _drop(
    run: Run, threshold: float, shape: tuple[int, ...], held: Any, should_stop: Stop | None
) -> Generator[TrainRecord | Dropped, None, None]:
    yield from records(run, held, should_stop)
    yield drop_dead(run.net, threshold, shape, held)


def drop_dead(
    net: nn.Module, threshold: float, input_shape: tuple[int, ...], validation: Any = None
) -> Dropped:
    """Zero a network's small weights and take out the neurons that are left unconnected.

    `net`: left unchanged. `threshold`: weights with ``|w| < threshold`` become zero. `input_shape`:
    one input, without the batch. `validation`: what both networks are judged by.
    """
    check_positive("drop_dead", "threshold", threshold, or_zero=True)
    zeroed = _below(net, threshold)
    steps = {name: PruneNeurons(fraction=0.0) for name in compressible(zeroed)}
    reduced = remove_neurons(zeroed, steps, input_shape)
    old, new = compressible(net), compressible(reduced.net)
    before, after = (judged(n, validation, None) for n in (zeroed, reduced.net))
    return Dropped(
        net=reduced.net,
        thresholded=zeroed,
        neurons={n: (len(as_matrix(w)), len(as_matrix(new[n]))) for n, w in old.items()},
        weights={n: (w.numel(), int(new[n].count_nonzero())) for n, w in old.items()},
        notes=reduced.notes,
        before=before,
        after=after,
    )


def _below(net: nn.Module, threshold: float) -> nn.Module:
    """Return a copy in eval mode whose small weights are zero."""
    zeroed = copied(net).eval()
    with torch.no_grad():
        for weight in compressible(zeroed).values():
            weight.masked_fill_(weight.abs() < threshold, 0)
    return zeroed
