"""What every plan of training shares: settings with dials that turn a network into records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from explorer.compress.prune import Prune
from explorer.compress.recipe import Recipe
from explorer.compress.setting import check_choice, check_count, check_fraction, dial
from explorer.session.trainee import Moment, Stop, Trainee
from explorer.train.penalties import Penalty
from explorer.train.records import TrainRecord
from explorer.train.settings import TrainSettings, check_positive

OFF = 1e-7
BATCH = 64
POSITIVE = ("learning_rate", "budget_s", "temperature")
INCOMING = (
    "Adds λ · Σⱼ ‖weights into neuron j‖₂ to the loss: they shrink together, so that whole neurons "
    "vanish. Higher: more neurons that can be taken out, less accuracy."
)
OUTGOING = (
    "Adds λ · Σᵢ ‖weights out of neuron i‖₂ to the loss: nothing listens to a neuron whose weights "
    "are zero. Higher: more neurons that can be taken out, less accuracy."
)


def epochs(default: int, label: str = "Epochs") -> Any:
    """Make a dial for passes over the data."""
    words = (
        f"Passes over the training samples, each of ⌊samples / {BATCH}⌋ steps. More take longer; "
        "accuracy mostly rises, ever more slowly."
    )
    return dial(default, "integer", label, words, low=1, high=30, step=1)


def rate(default: float) -> Any:
    """Make a dial for the learning rate."""
    words = (
        "How far a step goes against the gradient: η at first, then ηₜ = η · (1 + cos(π · t / n)) "
        "/ 2 after t of n steps. Too low learns little; too high makes the loss jump."
    )
    return dial(default, "number", "Learning rate", words, low=1e-4, high=0.3)


def strength(default: float, label: str, words: str) -> Any:
    """Make a dial for a penalty's factor, off at its left end."""
    told = f"{words} At the left end it is off."
    return dial(default, "number", label, told, low=OFF, high=1e-1, off=True)


@dataclass(frozen=True)
class TrainingPlan(ABC):
    """How a network is trained under the hand.

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
    def moments(self, trainee: Trainee, should_stop: Stop) -> Iterator[Moment]:
        """Train, telling each step.

        Parameters
        ----------
        trainee : Trainee
        should_stop : callable
            Asked before each step; once it is true, the run ends.

        Yields
        ------
        Moment
        """


def from_the_start(
    make: Callable[[TrainSettings], Iterator[Any]], settings: TrainSettings
) -> Iterator[Any]:
    """Yield a record of the network before the first step, then those of its training."""
    for record in make(replace(settings, n_epochs=0)):
        if isinstance(record, TrainRecord):
            yield record
    yield from make(settings)


def used(*penalties: Penalty) -> tuple[Penalty, ...]:
    """Return the penalties that are not off."""
    return tuple(penalty for penalty in penalties if penalty.strength > OFF)
