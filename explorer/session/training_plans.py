"""Plans that train all weights: in stages of pruning, or under penalties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from explorer.compress.setting import dial
from explorer.session.trainee import Moment, Stop, Trainee
from explorer.session.training_plan import (
    BATCH,
    INCOMING,
    OFF,
    OUTGOING,
    TrainingPlan,
    epochs,
    from_the_start,
    rate,
    strength,
    used,
)
from explorer.train.density import gradual
from explorer.train.penalties import L1, L2, IncomingNorm, OutgoingNorm, Penalty
from explorer.train.records import TrainRecord
from explorer.train.retraining import retrain
from explorer.train.settings import TrainSettings
from explorer.train.training import train


@dataclass(frozen=True)
class Retrain(TrainingPlan):
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
    learning_rate: float = rate(0.01)
    l1: float = strength(
        OFF,
        "L1 strength λ (left: off)",
        "Adds λ · Σ |w| to the loss while retraining: higher pulls weights closer to zero, where "
        "the next stage prunes them.",
    )

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """L1, unless it is off."""
        return used(L1(strength=self.l1))

    def moments(self, trainee: Trainee, should_stop: Stop) -> Iterator[Moment]:
        """Prune at once for comparison, then in stages with retraining."""
        settings = TrainSettings(self.n_epochs, self.learning_rate, BATCH)
        at_once = retrain(
            trainee.net,
            trainee.data,
            1 - self.sparsity,
            replace(settings, n_epochs=0),
            should_stop=should_stop,
            metric=trainee.metric,
        )
        for record in at_once:
            if record.validation is not None:
                yield Moment(record.validation)
        stages = gradual(1 - self.sparsity, self.n_stages)
        found = retrain(
            trainee.net,
            trainee.data,
            stages,
            settings,
            penalties=self.penalties,
            should_stop=should_stop,
            metric=trainee.metric,
        )
        yield from map(Moment, found)


@dataclass(frozen=True)
class Regularize(TrainingPlan):
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

    l1: float = strength(
        1e-4,
        "L1 strength λ (left: off)",
        "Adds λ · Σ |w| to the loss, which pulls every weight to zero equally hard. Higher: more "
        "weights near zero that pruning can take, less accuracy.",
    )
    l2: float = strength(
        OFF,
        "L2 strength λ (left: off)",
        "Adds λ · Σ w² to the loss, which pulls large weights hardest. Higher: smaller weights, "
        "few of them at zero; less accuracy.",
    )
    li: float = strength(OFF, "li strength λ (left: off)", INCOMING)
    lo: float = strength(OFF, "lo strength λ (left: off)", OUTGOING)
    n_epochs: int = epochs(10)
    learning_rate: float = rate(0.02)

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """Those that are not off."""
        return used(
            L1(strength=self.l1),
            L2(strength=self.l2),
            IncomingNorm(strength=self.li),
            OutgoingNorm(strength=self.lo),
        )

    def moments(self, trainee: Trainee, should_stop: Stop) -> Iterator[Moment]:
        """Train with the penalties."""
        yield from map(Moment, penalized(self, trainee, self.penalties, should_stop))


def penalized(
    plan: Any, trainee: Trainee, penalties: tuple[Penalty, ...], should_stop: Stop
) -> Iterator[TrainRecord]:
    """Train for a plan's epochs, at its learning rate, with penalties."""

    def make(settings: TrainSettings) -> Iterator[TrainRecord]:
        return train(
            trainee.net,
            trainee.data,
            settings,
            penalties=penalties,
            should_stop=should_stop,
            metric=trainee.metric,
        )

    return from_the_start(make, TrainSettings(plan.n_epochs, plan.learning_rate, BATCH))


@dataclass(frozen=True)
class CompareNorms(TrainingPlan):
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

    strength: float = dial(
        2e-4,
        "number",
        "Strength λ",
        "Weight λ of both penalties: one copy's loss has λ · Σ |w| added, the other's λ · Σ w². "
        "Higher pulls weights harder to zero and costs accuracy.",
        low=1e-6,
        high=1e-1,
    )
    n_epochs: int = epochs(10)
    learning_rate: float = rate(0.02)

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """One for each copy."""
        return L1(strength=self.strength), L2(strength=self.strength)

    def moments(self, trainee: Trainee, should_stop: Stop) -> Iterator[Moment]:
        """Train both, in turns."""
        runs = [penalized(self, trainee, (penalty,), should_stop) for penalty in self.penalties]
        for records in zip(*runs, strict=False):
            for lane, record in zip(self.lanes, records, strict=True):
                yield Moment(record, lane)
