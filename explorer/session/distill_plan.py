"""What every plan of distillation shares: dials, lessons, and what students come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from explorer.compress.setting import dial
from explorer.session.course import finished
from explorer.session.pupil import Pupil
from explorer.session.trainee import Found, Moment, Stop, Trainee
from explorer.session.training_plan import BATCH, TrainingPlan, from_the_start
from explorer.train.distillation import distill
from explorer.train.hints import Hints
from explorer.train.records import TrainRecord
from explorer.train.settings import TrainSettings
from explorer.train.targets import HardLabels, SoftTargets, Target

LABELS, TEACHER = "student on labels", "student on the teacher"
GRADUATE = "student"


def learning_rate(default: float = 1e-3) -> Any:
    """Make a dial for Adam's learning rate, which suits losses of any size."""
    words = (
        "How far a step of Adam goes: η at first, then ηₜ = η · (1 + cos(π · t / n)) / 2 after t "
        "of n steps. Too low learns little; too high makes the loss jump."
    )
    return dial(default, "number", "Learning rate", words, low=1e-4, high=0.1)


def temperature(default: float = 4.0) -> Any:
    """Make a dial for the temperature."""
    words = (
        "T > 1 softens the teacher's answers: pᵢ = exp(zᵢ / T) / Σ exp(zⱼ / T). Higher shows more "
        "of which classes it finds alike; too high, and all classes look the same."
    )
    return dial(default, "number", "Temperature T in training", words, low=0.5, high=30.0)


def share_of_teacher(default: float = 0.9) -> Any:
    """Make a dial for the teacher's share in the loss."""
    words = (
        "Weight m of the teacher's answers in the loss, m · T² · KL(p, q) + (1 − m) · CE(y, q). "
        "At 100% the student hears the teacher alone, at 0% the labels alone."
    )
    return dial(default, "fraction", "Teacher's share m", words)


def width(default: int | None, label: str = "Student width") -> Any:
    """Make a dial for the width of two hidden layers."""
    words = (
        "Units h in each of the student's two hidden layers: weights = inputs · h + h² + h · "
        "classes. Wider: mostly higher accuracy, but a larger file."
    )
    return dial(default, "power", label, words, low=8, high=1024)


@dataclass(frozen=True)
class DistillPlan(TrainingPlan):
    """A plan with students; it takes a `Pupil`."""

    reference: ClassVar[str] = "the teacher"

    @property
    def target(self) -> Target:
        """What the student on the teacher learns from, hints aside."""
        return SoftTargets()

    def settings(self, n_epochs: int, rate: float, seed: int = 0) -> TrainSettings:
        """Return how each network is trained."""
        return TrainSettings(n_epochs, rate, BATCH, optimizer="adam", seed=seed)


def as_pupil(trainee: Trainee) -> Pupil:
    """Return what a plan of distillation is given.

    Raises
    ------
    TypeError
        If it is not meant for that.
    """
    if not isinstance(trainee, Pupil):
        raise TypeError(f"trainee must be a Pupil to distill; got {type(trainee).__name__}")
    return trainee


def taught(
    pupil: Pupil,
    student: nn.Module,
    settings: TrainSettings,
    target: Target,
    should_stop: Stop,
) -> Iterator[TrainRecord]:
    """Train a student by the teacher of a pupil, from the record before the first step on."""
    lessons = isinstance(target, HardLabels | Hints)
    logits: Tensor | None = None if lessons or pupil.logits is None else pupil.logits()

    def make(settings: TrainSettings) -> Iterator[TrainRecord]:
        return distill(
            pupil.net,
            student,
            pupil.data,
            settings,
            target=target,
            logits=logits,
            should_stop=should_stop,
        )

    return from_the_start(make, settings)


def teacher_first(pupil: Pupil, name: str, should_stop: Stop) -> Iterator[Moment]:
    """Judge the teacher, for comparison."""
    accuracy = pupil.judged(pupil.net, should_stop)
    if accuracy is not None:
        yield Moment(accuracy)
        yield Moment(Found("teacher", pupil.graduate(name, pupil.net, accuracy)))


def graduation(pupil: Pupil, last: dict[str, TrainRecord], **more: object) -> Iterator[Moment]:
    """Tell what networks came to that were trained to the end; nothing of others."""
    if not finished(last):
        return
    for name, record in last.items():
        if record.validation is not None:
            graduate = pupil.graduate(name, record.net, record.validation, **more)
            yield Moment(Found(GRADUATE, graduate), name)
