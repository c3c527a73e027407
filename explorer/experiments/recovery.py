"""Recover: the network as the recipe compresses it is trained for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from explorer.codec.model import CompressedModel
from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.setting import dial
from explorer.compress.methods.share import Share, Shared
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.compress.records.record import Dense
from explorer.compress.records.storage import Stored
from explorer.experiments.experiment import BATCH, Event, Experiment, TrainingContext
from explorer.stopping import Stop
from explorer.train.record import TrainRecord
from explorer.train.recovery import RECOVERY, recover
from explorer.train.sharing import SHARED

KEPT = (Prune, PruneNeurons, Share, Entropy, RelativeIndex)
JUDGE_EVERY_S = 0.4
ENDLESS = 100_000


@dataclass(frozen=True)
class Recover(Experiment):
    """Train what the recipe left; pruned weights stay zero, shared values stay shared.

    Parameters
    ----------
    budget_s : float
        Seconds of computing.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient neural
    networks". NeurIPS 2015. arXiv:1506.02626.
    """

    title: ClassVar[str] = "Recover"
    about: ClassVar[str] = (
        "Train the network as your recipe compresses it, for a few seconds: zeros stay zero, "
        "shared values stay shared, and accuracy comes back."
    )
    reference: ClassVar[str] = "original network"

    budget_s: float = dial(
        3.0,
        "number",
        "Seconds",
        "How long the compressed network is trained. More brings back more accuracy; zeros stay "
        "zero and shared values stay shared, so that the file stays small.",
        low=0.5,
        high=30.0,
        step=0.5,
    )

    def recipe_after(self, recipe: Recipe) -> Recipe:
        """Keep zeros, shared values and their coding; neurons that are gone stay away."""
        return Recipe(tuple((pattern, _kept(steps)) for pattern, steps in recipe.entries))

    def events(self, context: TrainingContext, should_stop: Stop) -> Iterator[Event]:
        """Train in bursts; at most a third of the time goes into judging the network."""
        accuracy = context.evaluated(context.net, should_stop)
        if accuracy is not None:
            yield Event(accuracy)
        small = context.compress()
        check_recoverable(small.recipe)
        net, groups = small.restore(), shared_groups(small)
        started = time.perf_counter()
        before = context.evaluated(net, should_stop)
        if before is None:
            return
        wait_s = max(JUDGE_EVERY_S, 2 * (time.perf_counter() - started))
        records = recover(
            net,
            context.data,
            groups=groups,
            settings=replace(SHARED if groups else RECOVERY, n_epochs=ENDLESS, batch_size=BATCH),
            budget_s=self.budget_s,
            should_stop=should_stop,
        )
        last, judged_s = None, 0.0
        for record in records:
            if last is None:
                yield Event(_before(record, net, before))
            last = record
            if record.elapsed_s - judged_s >= wait_s:
                judged_s = record.elapsed_s
                judged = context.evaluated(record.net, should_stop)
                yield Event(replace(record, validation=judged))
            else:
                yield Event(record)
        if last is not None and not should_stop():
            yield Event(replace(last, validation=context.evaluated(last.net, should_stop)))


def _kept(steps: Steps) -> Steps:
    left = [step for step in steps if not isinstance(step, (Prune, PruneNeurons))]
    return (Prune(sparsity=0.0), *left)


def _before(record: TrainRecord, net: Any, accuracy: Any) -> TrainRecord:
    """Make the record of the network before the first step."""
    nan = float("nan")
    return replace(record, net=net, step=0, loss=nan, train_accuracy=nan, validation=accuracy)


def shared_groups(small: CompressedModel) -> dict[str, Shared]:
    """Return the layers of a compressed network whose weights share values."""
    found = {}
    for name, record in small.records.items():
        inner = record.inner if isinstance(record, Stored) else record
        if isinstance(inner, Shared) and isinstance(inner.codebook, Dense):
            found[name] = inner
    return found


def check_recoverable(recipe: Recipe) -> None:
    """Raise ValueError where a recipe has steps that training would undo."""
    for _, steps in recipe.entries:
        for step in steps:
            if not isinstance(step, KEPT):
                raise ValueError(
                    f"recipe: training would undo the step {step.describe()!r}; what training can "
                    "keep is pruned weights and shared values: use Prune, Prune neurons and Share"
                )
