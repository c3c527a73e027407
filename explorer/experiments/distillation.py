"""What experiments with students share: their context, stages of runs, and results."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from torch import Tensor, nn

from explorer.compress.methods.setting import dial
from explorer.compress.networks.plain import copied
from explorer.compress.networks.weights import compressible
from explorer.experiments.experiment import (
    BATCH,
    Event,
    Experiment,
    Finding,
    TrainingContext,
    from_the_start,
)
from explorer.experiments.student_networks import Maker, makers
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Metric, Score
from explorer.measure.students import StudentResult
from explorer.stopping import Stop, never
from explorer.train.data_variants import fresh
from explorer.train.distillation import distill
from explorer.train.hints import Hints
from explorer.train.record import TrainRecord
from explorer.train.settings import TrainSettings
from explorer.train.targets import HardLabels, SoftTargets, Target
from explorer.train.teacher import check_teacher
from explorer.zoo.students import n_parameters

LABELS, TEACHER = "student on labels", "student on the teacher"
STUDENT = "student"


def width(default: int | None, label: str = "Student width") -> Any:
    """Make a dial for the width of two hidden layers."""
    words = (
        "Units h in each of the student's two hidden layers: weights = inputs · h + h² + h · "
        "classes. Wider: mostly higher accuracy, but a larger file."
    )
    return dial(default, "power", label, words, low=8, high=1024)


@dataclass(frozen=True, eq=False)
class DistillationContext(TrainingContext):
    """A teacher with its data, and what makes students.

    `makers`: makes networks with random weights: ``"wide"`` from the width of two hidden layers,
    others from a number of parameters. All fit the data and the teacher's classes. `own`: a student
    of the person's own. `logits`: returns the teacher's logits for the samples that are trained on.
    Raises ValueError if the data have not two parts, or part of the teacher is in train mode.
    """

    makers: Mapping[str, Maker] = field(default_factory=dict)
    own: nn.Module | None = None
    logits: Callable[[], Tensor] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_teacher(self.net)

    def student(self, width: int | None, seed: int) -> nn.Module:
        """Make a student: one with two hidden layers, or the person's own.

        The person's own keeps the weights that it came with for the first seed; for others its
        layers draw new ones, where they can.
        """
        if self.own is None:
            return fresh(lambda: self.makers["wide"](width or 1), seed)
        return self.own if seed == 0 else fresh(lambda: redrawn(self.own), seed)

    def result(
        self, name: str, net: nn.Module, accuracy: Accuracy | Score, **more: object
    ) -> StudentResult:
        """Put down what a network came to."""
        return StudentResult(name, accuracy, n_parameters(net), **more)  # type: ignore[arg-type]


def redrawn(net: nn.Module | None) -> nn.Module:
    """Return a copy of a network whose layers have drawn new weights, where they can."""
    found = copied(net) if net is not None else nn.Identity()
    for module in found.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
    return found


def middle_layer(net: nn.Module, whose: str) -> str:
    """Return the middle one of a network's layers with weights, the last one aside.

    Raises ValueError if there is but one layer.
    """
    hidden = list(compressible(net))[:-1]
    if not hidden:
        raise ValueError(
            f"target: hints need a layer in the middle, and the {whose} has none; choose soft "
            "targets or logits"
        )
    return hidden[(len(hidden) - 1) // 2]


@dataclass(frozen=True)
class Stage:
    """One stage of a run. `n_steps`: of each of its networks."""

    n_steps: int
    n_nets: int


class StagedRun:
    """Counts steps and time over all stages.

    `n_lanes`: networks that a run's time left is multiplied by where it is shown. `named`: whether
    the stages are told as such, and not as one.
    """

    def __init__(self, stages: Sequence[Stage], n_lanes: int, named: bool = True) -> None:
        self._stages, self._n_lanes, self._named = stages, n_lanes, named
        self._spent_s = 0.0

    def follow(
        self, number: int, runs: Mapping[str, Iterator[TrainRecord]]
    ) -> Generator[Event, None, dict[str, TrainRecord]]:
        """Run a stage, and return its last records by network.

        `number`: of the stage, from 0. `runs`: by the network's name. Yields: its steps and times
        are those of the whole run.
        """
        last: dict[str, TrainRecord] = {}
        for records in zip(*runs.values(), strict=False):
            for name, record in zip(runs, records, strict=True):
                last[name] = record
                yield Event(self._placed(number, record, last), name)
        self._spent_s += _seconds(last)
        return last

    def _placed(
        self, number: int, record: TrainRecord, last: Mapping[str, TrainRecord]
    ) -> TrainRecord:
        before = self._stages[:number]
        done = sum(stage.n_steps * stage.n_nets for stage in before)
        done += sum(each.step for each in last.values())
        n = sum(stage.n_steps * stage.n_nets for stage in self._stages)
        spent_s = self._spent_s + _seconds(last)
        return replace(
            record,
            step=sum(stage.n_steps for stage in before) + record.step,
            n_steps=sum(stage.n_steps for stage in self._stages),
            remaining_s=spent_s / max(1, done) * (n - done) / self._n_lanes,
            stage=number if self._named else 0,
            n_stages=len(self._stages) if self._named else 1,
        )


def _seconds(records: Mapping[str, TrainRecord]) -> float:
    return sum(record.elapsed_s for record in records.values())


def finished(records: Mapping[str, TrainRecord]) -> bool:
    """Whether all networks of a stage were trained to the end and judged."""
    return bool(records) and all(
        record.done and record.validation is not None for record in records.values()
    )


@dataclass(frozen=True)
class DistillationExperiment(Experiment):
    """An experiment with students; its context is a `DistillationContext`."""

    reference: ClassVar[str] = "the teacher"

    def run(
        self,
        net: nn.Module,
        data: Any,
        *,
        recipe: Any = None,
        metric: Metric | Callable[[nn.Module], Any] | None = None,
        student: nn.Module | None = None,
        should_stop: Stop = never,
    ) -> Iterator[Event]:
        """Train students of a teacher, yielding an event for each step.

        `net`: the teacher, in eval mode. Left unchanged. `data`, `recipe`, `metric`, `should_stop`:
        as for `Experiment.run`. `student`: a student of one's own, in place of one with two hidden
        layers. Left unchanged. Raises ValueError, TypeError if an argument does not fit, or part of
        the teacher is in train mode.
        """
        plain = self.context(net, data, recipe, metric)
        context = DistillationContext(
            plain.net,
            plain.data,
            plain.compress,
            plain.recipe,
            plain.metric,
            makers=makers(net, data),
            own=student,
        )
        return self.events(context, should_stop)

    @property
    def target(self) -> Target:
        """What the student on the teacher learns from, hints aside."""
        return SoftTargets()

    def settings(self, n_epochs: int, rate: float, seed: int = 0) -> TrainSettings:
        """Return how each network is trained."""
        return TrainSettings(n_epochs, rate, BATCH, optimizer="adam", seed=seed)


def as_distillation(context: TrainingContext) -> DistillationContext:
    """Return the context of an experiment with students; TypeError where it is another."""
    if not isinstance(context, DistillationContext):
        raise TypeError(
            f"context must be a DistillationContext to distill; got {type(context).__name__}"
        )
    return context


def taught(
    context: DistillationContext,
    student: nn.Module,
    settings: TrainSettings,
    target: Target,
    should_stop: Stop,
) -> Iterator[TrainRecord]:
    """Train a student by the teacher of a context, from the record before the first step on."""
    lessons = isinstance(target, HardLabels | Hints)
    logits: Tensor | None = None if lessons or context.logits is None else context.logits()

    def make(settings: TrainSettings) -> Iterator[TrainRecord]:
        return distill(
            context.net,
            student,
            context.data,
            settings,
            target=target,
            logits=logits,
            should_stop=should_stop,
            metric=context.metric,
        )

    return from_the_start(make, settings)


def teacher_first(context: DistillationContext, name: str, should_stop: Stop) -> Iterator[Event]:
    """Evaluate the teacher, for comparison."""
    accuracy = context.evaluated(context.net, should_stop)
    if accuracy is not None:
        yield Event(accuracy)
        yield Event(Finding("teacher", context.result(name, context.net, accuracy)))


def results_of(
    context: DistillationContext, last: dict[str, TrainRecord], **more: object
) -> Iterator[Event]:
    """Yield the results of networks that were trained to the end; nothing of others."""
    if not finished(last):
        return
    for name, record in last.items():
        if record.validation is not None:
            result = context.result(name, record.net, record.validation, **more)
            yield Event(Finding(STUDENT, result), name)
