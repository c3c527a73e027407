"""DropNeuron: whole neurons fade under penalties, are taken out, and the rest is pruned."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.setting import Setting
from explorer.compress.networks.weights import compressible
from explorer.compress.records.record import as_matrix
from explorer.measure.accuracy import evaluate
from explorer.reproduce.digits import Digits
from explorer.reproduce.log import Log, n_left, n_weights, quick
from explorer.reproduce.record import Goal, Moment, Published, Reproduction
from explorer.train.neurons import Dropped, drop_neurons
from explorer.train.penalties import Penalty
from explorer.train.record import TrainRecord
from explorer.train.retraining import gradual, retrain
from explorer.train.settings import TrainSettings

DENSE = ("fc1", "fc2")
RECIPE: dict[str, list[Setting]] = {
    "*": [Prune(sparsity=0.0), PruneNeurons(fraction=0.0), Entropy("ans")]
}


@dataclass(frozen=True)
class DropSettings:
    """How neurons are dropped.

    `train`: of the training under penalties. `threshold`: after it, weights with smaller magnitudes
    become zero. `n_left`: weights that layers keep in the end. `n_stages`: in which they are pruned
    to that. `retrain`: of each stage.
    """

    penalties: tuple[Penalty, ...]
    train: TrainSettings
    threshold: float
    n_left: Mapping[str, int]
    n_stages: int
    retrain: TrainSettings


def dropneuron(
    name: str, net: nn.Module, digits: Digits, settings: DropSettings, published: Published
) -> Generator[Moment | Reproduction, None, None]:
    """Drop the neurons of a network's dense layers, and prune what is left of them.

    `net`: trained, with dense layers ``fc1`` and ``fc2``. Left unchanged. Yields: after each epoch;
    once, last.

    References
    ----------
    Pan, Dong, Guo. "DropNeuron: simplifying the structure of deep neural networks". 2016.
    arXiv:1606.07326.
    """
    log = Log(net, digits, RECIPE, half_biases=True)
    yield log.judge("dense", net)
    dropped: list[Dropped] = []
    training = drop_neurons(
        quick(net),
        digits.train,
        settings.train,
        penalties=settings.penalties,
        threshold=settings.threshold,
        validation=digits.validation,
    )
    yield from log.follow("drop", _records(training, dropped))
    small = dropped[0].net
    yield log.judge("dropped", small)
    layers = compressible(small)
    density = {n: min(1.0, k / layers[n].numel()) for n, k in settings.n_left.items()}
    stages = gradual(density, settings.n_stages)
    pruned = yield from log.follow(
        "retrain",
        retrain(quick(small), digits.train, stages, settings.retrain, validation=digits.validation),
    )
    yield _concluded(name, pruned, log, settings, published)


def _records(training: Any, dropped: list[Dropped]) -> Generator[TrainRecord, None, None]:
    """Pass on what is told while training; keep what comes last."""
    for record in training:
        if isinstance(record, Dropped):
            dropped.append(record)
        else:
            yield record


def counted(layers: Mapping[str, Tensor]) -> int:
    """Count neurons as the paper does: inputs of the dense layers, and their units, in use.

    `layers`: weights of the dense layers, (out, in), each fed by the one before.
    """
    weights = [as_matrix(weight) != 0 for weight in layers.values()]
    n = int(weights[0].any(0).sum())
    for weight, after in pairwise(weights):
        n += int((weight.any(1) | after.any(0)).sum())
    return n + int(weights[-1].any(1).sum())


def _reached(
    dense: nn.Module, sparse: nn.Module, accuracies: Mapping[str, float]
) -> dict[str, float]:
    """Count what is left of weights, neurons and units."""
    before, after = (
        {name: compressible(n)[name] for name in DENSE if name in compressible(n)}
        for n in (dense, sparse)
    )
    fc_before = sum(w.numel() for w in before.values())
    fc_after = sum(int(w.count_nonzero()) for w in after.values())
    return {
        "fc_density": fc_after / fc_before,
        "rate": fc_before / fc_after,
        **accuracies,
        "n_neurons": counted(after),
        "n_neurons_ref": counted(before),
        "n_units": sum(len(w) for w in compressible(sparse).values()),
        "n_units_ref": sum(len(w) for w in compressible(dense).values()),
        "n_weights": n_left(sparse),
        "density": n_left(sparse) / n_weights(dense),
    }


def _concluded(
    name: str, pruned: nn.Module, log: Log, settings: DropSettings, published: Published
) -> Reproduction:
    packed = log.pack(pruned)
    restored = packed.restore(log.net)
    accuracy, dense = (evaluate(n, log.digits.test) for n in (restored, log.net))
    told = {"accuracy": accuracy.top1, "accuracy_ref": dense.top1}
    reached = {**_reached(log.net, restored, told), "size_bytes": packed.size_bytes}
    return Reproduction(
        name=name,
        published=published,
        reached=reached,
        goals=(
            Goal("fc_density", high=0.02),
            Goal("accuracy", low=0.99),
            Goal("n_units", high=reached["n_units_ref"] - 1),
        ),
        accuracy=accuracy,
        dense_accuracy=dense,
        validation=evaluate(restored, log.digits.validation),
        seconds=log.seconds,
        settings=asdict(settings),
        history=tuple(log.history),
        model=packed,
    )
