"""Retrain, Regularize, CompareNorms: all weights trained, in stages of pruning or by penalties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from explorer.compress.methods.setting import dial, dial_of
from explorer.experiments.experiment import (
    BATCH,
    OFF,
    Event,
    Experiment,
    TrainingContext,
    epochs,
    from_the_start,
    learning_rate,
    strength,
    used,
)
from explorer.stopping import Stop
from explorer.train.penalties import L1, L2, IncomingNorm, OutgoingNorm, Penalty
from explorer.train.record import TrainRecord
from explorer.train.retraining import gradual, retrain
from explorer.train.settings import TrainSettings
from explorer.train.training import train


@dataclass(frozen=True)
class Retrain(Experiment):
    """Prune and retrain by turns; weights that are pruned stay zero.

    Parameters
    ----------
    sparsity : float
        Share of zeros at the end, in [0, 1].
    n_stages, n_epochs : int
        Turns, and epochs of retraining in each.
    learning_rate : float
    l1 : float
        Strength of an L1 penalty while retraining.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient neural
    networks". NeurIPS 2015. arXiv:1506.02626.
    """

    title: ClassVar[str] = "Retrain"
    about: ClassVar[str] = (
        "Prune a little, retrain what is left, and repeat: dynamic pruning, compared with pruning "
        "all at once without retraining."
    )
    reference: ClassVar[str] = "pruned at once, not retrained"

    sparsity: float = dial(
        0.95,
        "fraction",
        "Final sparsity",
        "Share s of zeros after the last of n stages; after stage t it is s · (1 − (1 − t / n)³). "
        "Higher: a smaller file, and less accuracy where too little is left to retrain.",
        high=0.99,
    )
    n_stages: int = dial(
        4,
        "integer",
        "Stages",
        "Turns of pruning, each followed by retraining: epochs in all = stages · epochs per stage. "
        "More prune more gently and take longer.",
        low=1,
        high=12,
        step=1,
    )
    n_epochs: int = epochs(4, "Epochs per stage")
    learning_rate: float = learning_rate(0.01)
    l1: float = strength(L1, OFF)

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """L1, unless it is off."""
        return used(L1(strength=self.l1))

    def events(self, context: TrainingContext, should_stop: Stop) -> Iterator[Event]:
        """Prune at once for comparison, then in stages with retraining."""
        settings = TrainSettings(self.n_epochs, self.learning_rate, BATCH)
        at_once = retrain(
            context.net,
            context.data,
            1 - self.sparsity,
            replace(settings, n_epochs=0),
            should_stop=should_stop,
            metric=context.metric,
        )
        for record in at_once:
            if record.validation is not None:
                yield Event(record.validation)
        stages = gradual(1 - self.sparsity, self.n_stages)
        records = retrain(
            context.net,
            context.data,
            stages,
            settings,
            penalties=self.penalties,
            should_stop=should_stop,
            metric=context.metric,
        )
        yield from map(Event, records)


@dataclass(frozen=True)
class Regularize(Experiment):
    """Train on with penalties on weights and on neurons.

    Parameters
    ----------
    l1, l2, li, lo : float
        Strengths: sum of magnitudes; of squares; of the lengths of neurons' incoming, and
        of their outgoing, weights.
    n_epochs : int
    learning_rate : float

    References
    ----------
    Pan, Dong, Guo. "DropNeuron: simplifying the structure of deep neural networks".
    2016. arXiv:1606.07326.
    """

    title: ClassVar[str] = "Regularize"
    about: ClassVar[str] = (
        "Keep training, with penalties that pull weights, or whole neurons, toward zero."
    )

    l1: float = strength(L1, 1e-4)
    l2: float = strength(L2, OFF)
    li: float = strength(IncomingNorm, OFF)
    lo: float = strength(OutgoingNorm, OFF)
    n_epochs: int = epochs(10)
    learning_rate: float = learning_rate(0.02)

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """Those that are not off."""
        return used(
            L1(strength=self.l1),
            L2(strength=self.l2),
            IncomingNorm(strength=self.li),
            OutgoingNorm(strength=self.lo),
        )

    def events(self, context: TrainingContext, should_stop: Stop) -> Iterator[Event]:
        """Train with the penalties."""
        yield from map(Event, penalized(self, context, self.penalties, should_stop))


def penalized(
    experiment: Any, context: TrainingContext, penalties: tuple[Penalty, ...], should_stop: Stop
) -> Iterator[TrainRecord]:
    """Train for an experiment's epochs, at its learning rate, with penalties."""

    def make(settings: TrainSettings) -> Iterator[TrainRecord]:
        return train(
            context.net,
            context.data,
            settings,
            penalties=penalties,
            should_stop=should_stop,
            metric=context.metric,
        )

    return from_the_start(make, TrainSettings(experiment.n_epochs, experiment.learning_rate, BATCH))


@dataclass(frozen=True)
class CompareNorms(Experiment):
    """Train two copies side by side, one with L1 and one with L2.

    Parameters
    ----------
    strength : float
        Lambda of both.
    n_epochs : int
    learning_rate : float

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient neural
    networks". NeurIPS 2015. arXiv:1506.02626.
    """

    title: ClassVar[str] = "L1 against L2"
    about: ClassVar[str] = (
        "Train two copies on the same batches, one with L1 and one with L2: watch which one "
        "gathers its weights at zero."
    )
    lanes: ClassVar[tuple[str, ...]] = ("L1", "L2")

    strength: float = dial_of(
        Penalty,
        "strength",
        2e-4,
        help="Weight λ of both penalties: one copy's loss has λ · Σ |w| added, the other's λ · "
        "Σ w². Higher pulls weights harder to zero and costs accuracy.",
    )
    n_epochs: int = epochs(10)
    learning_rate: float = learning_rate(0.02)

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """One for each copy."""
        return L1(strength=self.strength), L2(strength=self.strength)

    def events(self, context: TrainingContext, should_stop: Stop) -> Iterator[Event]:
        """Train both, in turns."""
        runs = [penalized(self, context, (penalty,), should_stop) for penalty in self.penalties]
        for records in zip(*runs, strict=False):
            for lane, record in zip(self.lanes, records, strict=True):
                yield Event(record, lane)
