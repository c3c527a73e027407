"""StudentBesideStudent, ShapesCompared: students on labels beside students on a teacher."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from explorer.compress.methods.setting import dial
from explorer.experiments.distillation import (
    LABELS,
    TEACHER,
    DistillationExperiment,
    Stage,
    StagedRun,
    as_distillation,
    finished,
    middle_layer,
    results_of,
    taught,
    teacher_first,
    width,
)
from explorer.experiments.experiment import (
    Event,
    TrainingContext,
    epochs,
    learning_rate,
    teacher_share,
    temperature,
)
from explorer.stopping import Stop
from explorer.train.data_variants import fresh
from explorer.train.hints import Hints
from explorer.train.samples import Samples
from explorer.train.targets import HardLabels, MatchLogits, SoftTargets, Target

TARGETS = ("soft targets", "logits", "hints")
SHAPES = ("shallow", "deep", "convolutional")


@dataclass(frozen=True)
class StudentBesideStudent(DistillationExperiment):
    """Two students with the same first weights: one learns labels, one the teacher's answers.

    Parameters
    ----------
    width : int or None
        Of a student's two hidden layers; None for a student of the person's own.
    what : {"soft targets", "logits", "hints"}
        Hints are soft targets and, as well, the middle layer of the teacher: of a copy, since
        others may use the page's network meanwhile.
    temperature : float
    mix : float
        Share of the teacher's answers in the loss of soft targets, in [0, 1].
    n_seeds : int
        Pairs, each with other first weights and another order of the samples.
    n_epochs : int
    learning_rate : float

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.

    Ba, Caruana. "Do deep nets really need to be deep?". NeurIPS 2014. arXiv:1312.6184.

    Romero, Ballas, Kahou, Chassang, Gatta, Bengio. "FitNets: hints for thin deep nets".
    ICLR 2015. arXiv:1412.6550.
    """

    title: ClassVar[str] = "Student beside student"
    about: ClassVar[str] = (
        "Two small networks start from the same weights and see the same samples: one learns the "
        "labels, one the answers of the network at the top of this page, its teacher."
    )
    lanes: ClassVar[tuple[str, ...]] = (LABELS, TEACHER)
    stage: ClassVar[str] = "seed"
    afresh: ClassVar[bool] = True

    width: int | None = width(64)
    what: str = dial(
        "soft targets",
        "choice",
        "Target",
        "What the second student learns. Soft targets: the teacher's probabilities at T; Logits: "
        "its raw scores v, with the loss Σ (z − v)² / N; Hints: soft targets, and the outputs of "
        "the teacher's middle layer.",
        options=TARGETS,
    )
    temperature: float = temperature()
    mix: float = teacher_share()
    n_seeds: int = dial(
        3,
        "integer",
        "Seeds",
        "Pairs of students, each from other first weights. More take longer, and tell an effect "
        "from luck: the mean of n differences has the standard error s / √n.",
        low=1,
        high=5,
        step=1,
    )
    n_epochs: int = epochs(10)
    learning_rate: float = learning_rate(1e-2)

    @property
    def lane_used(self) -> str:
        """The student on the teacher."""
        return TEACHER

    @property
    def target(self) -> Target:
        """The teacher's logits, or its softened answers."""
        if self.what == "logits":
            return MatchLogits()
        return SoftTargets(self.temperature, self.mix)

    def events(self, context: TrainingContext, should_stop: Stop) -> Iterator[Event]:
        """Train pair after pair."""
        context = as_distillation(context)
        settings = self.settings(self.n_epochs, self.learning_rate)
        n_steps = settings.n_steps(Samples(context.data).n)
        run = StagedRun([Stage(n_steps, 2)] * self.n_seeds, len(self.lanes))
        yield from teacher_first(context, self.reference, should_stop)
        if self.what == "hints":
            context = replace(context, net=copy.deepcopy(context.net))
        for seed in range(self.n_seeds):
            student = context.student(self.width, seed)
            target = self.target
            if self.what == "hints":
                layers = middle_layer(context.net, "teacher"), middle_layer(student, "student")
                target = Hints(*layers, target=target)
            runs = {
                lane: taught(context, student, replace(settings, seed=seed), target, should_stop)
                for lane, target in ((LABELS, HardLabels()), (TEACHER, target))
            }
            last = yield from run.follow(seed, runs)
            yield from results_of(context, last, seed=seed)
            if not finished(last):
                return


@dataclass(frozen=True)
class ShapesCompared(DistillationExperiment):
    """Networks of three shapes with equally many weights, on labels and on the teacher.

    One hidden layer (behind a narrow linear one), three hidden layers, and three above a
    convolution.

    Parameters
    ----------
    n_weights : int
        About how many parameters each has.
    temperature, mix : float
    n_epochs : int
    learning_rate : float

    References
    ----------
    Ba, Caruana. "Do deep nets really need to be deep?". NeurIPS 2014. arXiv:1312.6184.
    """

    title: ClassVar[str] = "Shallow, deep, convolutional"
    about: ClassVar[str] = (
        "One hidden layer (SNN), three (DNN), and three above a convolution (CNN), all with about "
        "as many weights: does depth matter less once a teacher explains?"
    )
    lanes: ClassVar[tuple[str, ...]] = (LABELS, TEACHER)
    stage: ClassVar[str] = "shape"
    afresh: ClassVar[bool] = True

    n_weights: int = dial(
        25_000,
        "integer",
        "Parameters",
        "About how many weights and biases each network has, so that the three differ in shape "
        "alone: 4 · parameters = bytes. More: mostly higher accuracy, but a larger file.",
        low=15_000,
        high=100_000,
        step=1000,
    )
    temperature: float = temperature()
    mix: float = teacher_share()
    n_epochs: int = epochs(5)
    learning_rate: float = learning_rate(1e-2)

    @property
    def lane_used(self) -> str:
        """The student on the teacher."""
        return TEACHER

    @property
    def target(self) -> Target:
        """The teacher's softened answers."""
        return SoftTargets(self.temperature, self.mix)

    def events(self, context: TrainingContext, should_stop: Stop) -> Iterator[Event]:
        """Train shape after shape."""
        context = as_distillation(context)
        shapes = [name for name in SHAPES if name in context.makers]
        settings = self.settings(self.n_epochs, self.learning_rate)
        stage = Stage(settings.n_steps(Samples(context.data).n), 2)
        run = StagedRun([stage] * len(shapes), len(self.lanes))
        yield from teacher_first(context, self.reference, should_stop)
        for number, shape in enumerate(shapes):
            make = context.makers[shape]
            student = fresh(lambda make=make: make(self.n_weights), 0)  # type: ignore[misc]
            runs = {
                lane: taught(context, student, settings, target, should_stop)
                for lane, target in ((LABELS, HardLabels()), (TEACHER, self.target))
            }
            last = yield from run.follow(number, runs)
            yield from results_of(context, last, group=shape)
            if not finished(last):
                return
