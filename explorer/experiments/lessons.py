"""WrongLabels, UnseenClass: distillation from labels that are wrong, or that lack a class."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from explorer.compress.methods.setting import dial
from explorer.experiments.distillation import (
    TEACHER,
    DistillationContext,
    DistillationExperiment,
    Stage,
    StagedRun,
    as_distillation,
    finished,
    results_of,
    taught,
    teacher_first,
    width,
)
from explorer.experiments.experiment import (
    Event,
    Finding,
    TrainingContext,
    epochs,
    from_the_start,
    learning_rate,
    temperature,
)
from explorer.measure.gallery import class_names, pixels_of, thumbnails
from explorer.measure.label_repair import CorrectedLabels, NoisyLabels, Relabeled, corrected
from explorer.stopping import Stop
from explorer.train.data_variants import corrupt_labels, fresh, without_class
from explorer.train.record import TrainRecord
from explorer.train.samples import Samples
from explorer.train.settings import TrainSettings
from explorer.train.targets import HardLabels, SoftTargets, Target
from explorer.train.teacher import answered, answers, joined, teacher_logits
from explorer.train.training import train

NOISY_TEACHER, NOISY = "teacher on wrong labels", "student on wrong labels"
WIDER, EPOCHS, DECAY = 3, 6, 0.01
MOST_SHOWN = 24


@dataclass(frozen=True)
class WrongLabels(DistillationExperiment):
    """A teacher that learned wrong labels, a student on these labels, and one on that teacher.

    The teacher has two hidden layers three times as wide as the student's. It is held back, so
    that it learns what most labels have in common rather than each single one: few epochs,
    and a weight decay of 0.01. Neither holds for the students, which have two hidden layers
    even where the person has a student of their own.

    Parameters
    ----------
    noise : float
        Share of the labels to train on that are wrong, in [0, 1].
    width : int
        Of a student's two hidden layers.
    temperature : float
    n_epochs : int
        Of the students.
    learning_rate : float

    References
    ----------
    Ba, Caruana. "Do deep nets really need to be deep?". NeurIPS 2014. arXiv:1312.6184.
    """

    title: ClassVar[str] = "Wrong labels"
    about: ClassVar[str] = (
        "Some labels are made wrong. A wider teacher learns them, held back by weight decay and "
        "few epochs; one student learns the same labels, one the teacher's answers alone."
    )
    reference: ClassVar[str] = "the network of this page"
    lanes: ClassVar[tuple[str, ...]] = (NOISY, TEACHER, NOISY_TEACHER)

    noise: float = dial(
        0.3,
        "fraction",
        "Wrong labels",
        "Share p of the n training labels that are replaced by another class: round(p · n) are "
        "wrong. Higher makes learning harder; the labels that accuracy is judged by stay right.",
        high=0.8,
    )
    width: int = width(64)
    temperature: float = temperature(2.0)
    n_epochs: int = epochs(20, "Student epochs")
    learning_rate: float = learning_rate(1e-2)

    @property
    def lane_used(self) -> str:
        """The student on the teacher."""
        return TEACHER

    @property
    def target(self) -> Target:
        """The teacher's answers alone."""
        return SoftTargets(self.temperature, 1.0)

    def events(self, context: TrainingContext, should_stop: Stop) -> Iterator[Event]:
        """Train the teacher, then both students."""
        context = as_distillation(context)
        samples = Samples(context.data)
        make = context.makers["wide"]
        first = fresh(lambda: make(WIDER * self.width), 0)
        true = _labels(samples)
        noisy, mask = corrupt_labels(true, self.noise, _n_classes(first, samples))
        data = _OtherLabels(samples, noisy, context.data)
        context = replace(context, data=data, own=None, logits=None)
        held_back = replace(self.settings(EPOCHS, self.learning_rate), weight_decay=DECAY)
        settings = self.settings(self.n_epochs, self.learning_rate)
        stages = [Stage(held_back.n_steps(samples.n), 1), Stage(settings.n_steps(samples.n), 2)]
        run = StagedRun(stages, len(self.lanes), named=False)
        yield from teacher_first(context, self.reference, should_stop)
        teacher = yield from self._teacher(context, first, held_back, run, should_stop)
        if teacher is None:
            return
        logits = joined(list(answers(teacher, samples)))
        told = corrected(logits, noisy, true, mask)
        pictures = _pictures(context.data, told, true, logits)
        yield Event(Finding("labels", NoisyLabels(told, pictures)))
        context = replace(context, net=teacher, logits=lambda: logits)
        student = context.student(self.width, seed=1)
        runs = {
            lane: taught(context, student, settings, target, should_stop)
            for lane, target in ((NOISY, HardLabels()), (TEACHER, self.target))
        }
        last = yield from run.follow(1, runs)
        yield from results_of(context, last)

    def _teacher(
        self,
        context: DistillationContext,
        net: nn.Module,
        settings: TrainSettings,
        run: StagedRun,
        should_stop: Stop,
    ) -> Generator[Event, None, nn.Module | None]:
        """Train the teacher; return None where it was stopped."""

        def make(settings: TrainSettings) -> Iterator[TrainRecord]:
            return train(
                net, context.data, settings, should_stop=should_stop, metric=context.metric
            )

        last = yield from run.follow(0, {NOISY_TEACHER: from_the_start(make, settings)})
        yield from results_of(context, last)
        return copy.deepcopy(last[NOISY_TEACHER].net).eval() if finished(last) else None


class _OtherLabels:
    """Samples with other labels to train on; those to judge on keep theirs."""

    def __init__(self, samples: Samples, labels: Tensor, data: Any) -> None:
        inputs = samples.take(torch.arange(samples.n))[0]
        self.tune, self.eval, self.origin = (inputs, labels), data.eval, data


def _pictures(
    data: _OtherLabels, told: CorrectedLabels, true: Tensor, logits: Tensor
) -> tuple[Relabeled, ...]:
    """Return the first samples whose labels the teacher puts right."""
    inputs, labels = data.tune
    names = class_names(data.origin, logits.shape[1])
    shown = told.corrected[:MOST_SHOWN]
    images = thumbnails(list(inputs[shown]), pixels_of(data.origin))
    answers = logits.argmax(1)
    return tuple(
        Relabeled(i, names[labels[i]], names[true[i]], names[answers[i]], image)
        for i, image in zip(shown.tolist(), images, strict=True)
    )


def _labels(samples: Samples) -> Tensor:
    if samples.labels is not None:
        return samples.labels.cpu().to(torch.int64)
    return samples.take(torch.arange(samples.n))[1].to(torch.int64)


def _n_classes(net: nn.Module, samples: Samples) -> int:
    return teacher_logits(net, samples.take(torch.arange(1))).shape[1]


@dataclass(frozen=True)
class UnseenClass(DistillationExperiment):
    """A student learns the teacher's answers to samples of all classes but one.

    Parameters
    ----------
    label : int
        The class that it never sees.
    width : int or None
        Of its two hidden layers; None for a student of the person's own.
    temperature : float
    n_epochs : int
    learning_rate : float

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.
    """

    title: ClassVar[str] = "Unseen class"
    about: ClassVar[str] = (
        "The student never sees one class: all it hears about it is how much of it the teacher "
        "finds in the others. Then raise the bias of that class and see it come back."
    )
    lanes: ClassVar[tuple[str, ...]] = (TEACHER,)

    label: int = dial(
        3,
        "integer",
        "Unseen class",
        "Number of the class, from 0, that the student gets no training sample of. It is judged "
        "on all classes.",
        low=0,
        high=9,
        step=1,
    )
    width: int | None = width(64)
    temperature: float = temperature()
    n_epochs: int = epochs(15)
    learning_rate: float = learning_rate(1e-2)

    @property
    def target(self) -> Target:
        """The teacher's answers alone."""
        return SoftTargets(self.temperature, 1.0)

    def events(self, context: TrainingContext, should_stop: Stop) -> Iterator[Event]:
        """Train without the class, then ask the student about all of them."""
        context = as_distillation(context)
        context = replace(context, data=without_class(context.data, self.label), logits=None)
        settings = self.settings(self.n_epochs, self.learning_rate)
        yield from teacher_first(context, self.reference, should_stop)
        student = context.student(self.width, seed=0)
        run = StagedRun([Stage(settings.n_steps(Samples(context.data).n), 1)], 1, named=False)
        runs = {TEACHER: taught(context, student, settings, self.target, should_stop)}
        last = yield from run.follow(0, runs)
        yield from results_of(context, last)
        if finished(last):
            told = answered(last[TEACHER].net, context.data.eval, should_stop)
            if told is not None:
                yield Event(Finding("answers", told))
