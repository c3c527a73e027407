"""Experiment: settings with dials, whose run yields events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

from torch import nn

from explorer.codec.model import CompressedModel
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.setting import (
    check_choice,
    check_count,
    check_fraction,
    dial_of,
    known_dial,
)
from explorer.compress.networks.recipe import Recipe
from explorer.library import compress
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Metric, Score, as_metric
from explorer.stopping import Stop, never
from explorer.train.neurons import Dropped
from explorer.train.penalties import Penalty
from explorer.train.record import TrainRecord
from explorer.train.settings import TrainSettings, check_positive
from explorer.train.targets import SoftTargets
from explorer.train.training import judged, judged_by

BATCH, OFF = 64, 1e-7


def epochs(default: int, label: str = "Epochs") -> Any:
    """Field: passes over the data."""
    words = known_dial(TrainSettings, "n_epochs").help.replace("batch", str(BATCH))
    return dial_of(TrainSettings, "n_epochs", default, label=label, help=words, low=1, high=30)


def learning_rate(default: float, high: float = 0.3) -> Any:
    """Field: the learning rate."""
    return dial_of(TrainSettings, "learning_rate", default, high=high)


def strength(kind: type[Penalty], default: float) -> Any:
    """Field: a penalty's factor, off at its left end."""
    label = f"{kind.name} strength λ (left: off)"
    return dial_of(kind, "strength", default, label=label, low=OFF, high=1e-1, off=True)


def temperature(default: float = 4.0) -> Any:
    """Field: the temperature of soft targets."""
    return dial_of(SoftTargets, "temperature", default, label="Temperature T in training")


def teacher_share(default: float = 0.9) -> Any:
    """Field: the teacher's share in the loss."""
    return dial_of(SoftTargets, "mix", default)


def used(*penalties: Penalty) -> tuple[Penalty, ...]:
    """Return the penalties that are not off."""
    return tuple(penalty for penalty in penalties if penalty.strength > OFF)


POSITIVE = ("learning_rate", "budget_s", "temperature")


@dataclass(frozen=True, eq=False)
class TrainingContext:
    """A network that is to be trained.

    `net`: left unchanged. `data`: its ``tune`` part is trained on, its ``eval`` part judged on.
    `compress`: returns the network as the recipe compresses it. `metric`: judges in place of the
    ``eval`` part. Raises ValueError if the data have not these two parts.
    """

    net: nn.Module
    data: Any
    compress: Callable[[], CompressedModel]
    recipe: Recipe = field(default_factory=Recipe)
    metric: Metric | None = None

    def __post_init__(self) -> None:
        if self.data is None:
            raise ValueError(
                "data: there is none to train on; give the explorer labeled data, as in "
                "Explorer(net, Data(tune=..., eval=...))"
            )
        if not (hasattr(self.data, "tune") and hasattr(self.data, "eval")):
            raise ValueError(
                "data: training needs samples apart from those that accuracy is measured on; "
                f"got {type(self.data).__name__}: give both, as in Data(tune=..., eval=...)"
            )

    def evaluated(self, net: nn.Module, should_stop: Stop) -> Accuracy | Score | None:
        """Evaluate a network by the metric or on held-out samples; None where it was stopped."""
        return judged(net, judged_by(self.data, None, self.metric), should_stop)


@dataclass(frozen=True, eq=False)
class Finding:
    """Something that a run brought to light.

    Attributes
    ----------
    name : str
    value : object
    """

    name: str
    value: Any


@dataclass(frozen=True, eq=False)
class Event:
    """What an experiment reports of a run.

    Attributes
    ----------
    record : TrainRecord, Dropped, Accuracy, Score or Finding
        Accuracy is that of the reference, which is not trained.
    lane : str
        Which network it is of, where several are trained side by side.
    """

    record: TrainRecord | Dropped | Accuracy | Score | Finding
    lane: str = ""

    @property
    def accuracy(self) -> Accuracy | Score | None:
        """Accuracy of the network at this step; None where it was not measured, or of another."""
        if isinstance(self.record, TrainRecord):
            return self.record.validation
        return self.record.after if isinstance(self.record, Dropped) else None

    def __str__(self) -> str:
        record = self.record
        if isinstance(record, TrainRecord):
            what = f"step {record.step:,} of {max(record.n_steps, record.step):,}"
        elif isinstance(record, Dropped):
            pairs = (f"{name} {a:,} of {b:,}" for name, (b, a) in record.neurons.items())
            what = f"neurons left: {', '.join(pairs)}"
        else:
            what = record.name if isinstance(record, Finding) else "for comparison"
        judged = record if isinstance(record, Accuracy | Score) else self.accuracy
        found = "" if judged is None else f": {_in_words(judged)}"
        return f"{self.lane + ', ' if self.lane else ''}{what}{found}"


@dataclass(frozen=True)
class Experiment(ABC):
    """How a network is trained, with a dial for each field.

    Attributes
    ----------
    title, about : str
        Its name, and what it does, in a sentence.
    reference : str
        What it is compared with, which is not trained; "" for nothing.
    lanes : tuple of str
        Names of the networks that are trained side by side.
    stage : str
        What a new stage of the run is called.
    afresh : bool
        Whether each stage trains other networks, whose lines are not joined.
    """

    title: ClassVar[str]
    about: ClassVar[str]
    reference: ClassVar[str] = ""
    lanes: ClassVar[tuple[str, ...]] = ("",)
    stage: ClassVar[str] = "stage"
    afresh: ClassVar[bool] = False

    def __post_init__(self) -> None:
        owner = type(self).__name__
        for each in fields(self):
            name, value = each.name, getattr(self, each.name)
            turned = each.metadata["dial"]
            if turned.kind in ("integer", "power"):
                check_count(owner, name, value, min(1, int(turned.low)), 100_000)
            elif turned.kind == "fraction":
                check_fraction(owner, name, value)
            elif turned.kind == "choice":
                check_choice(owner, name, value, tuple(known for _, known in turned.choices))
            else:
                check_positive(owner, name, value, or_zero=name not in POSITIVE)

    def run(
        self,
        net: nn.Module,
        data: Any,
        *,
        recipe: Any = None,
        metric: Metric | Callable[[nn.Module], Any] | None = None,
        should_stop: Stop = never,
    ) -> Iterator[Event]:
        """Train, yielding an event for each step.

        Parameters
        ----------
        net : Module
            Left unchanged.
        data : Data
            Trained on its ``tune`` part, judged on its ``eval`` part.
        recipe : Recipe, list of Setting or mapping, optional
            How the network is compressed, where the experiment starts from that.
        metric : Metric or callable, optional
            Judges in place of the ``eval`` part.
        should_stop : callable
            Asked before each step; once it is true, the run ends.

        Yields
        ------
        Event

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit.
        """
        return self.events(self.context(net, data, recipe, metric), should_stop)

    def context(
        self, net: nn.Module, data: Any, recipe: Any = None, metric: Any = None
    ) -> TrainingContext:
        """Return the context of arguments such as those of `run`."""
        wanted = Recipe.of([] if recipe is None else recipe)
        return TrainingContext(
            net, data, lambda: compress(net, wanted, data=data), wanted, as_metric(metric)
        )

    @property
    def lane_used(self) -> str:
        """The network that is handed over."""
        return self.lanes[0]

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """Penalties that are added to the loss, those that are off left out."""
        return ()

    def recipe_after(self, recipe: Recipe) -> Recipe:
        """Return the recipe that keeps what was trained as it is, given the one before."""
        return Recipe.of([Prune(sparsity=0.0)])

    @abstractmethod
    def events(self, context: TrainingContext, should_stop: Stop) -> Iterator[Event]:
        """Train, yielding an event for each step; `should_stop` is asked before each."""


def _in_words(judged: Accuracy | Score) -> str:
    if isinstance(judged, Accuracy):
        return f"{judged.value:.2%} of {judged.n:,} right"
    return f"{judged.name} {judged.value:g} {judged.unit}".rstrip()


def from_the_start(
    make: Callable[[TrainSettings], Iterator[Any]], settings: TrainSettings
) -> Iterator[Any]:
    """Yield a record of the network before the first step, then those of its training."""
    for record in make(replace(settings, n_epochs=0)):
        if isinstance(record, TrainRecord):
            yield record
    yield from make(settings)
