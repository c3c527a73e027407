"""distill: train a student on targets of a teacher."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.methods.share import Shared
from explorer.compress.networks.forward import device_of
from explorer.compress.networks.forward import moved as on_device
from explorer.measure.metric import Metric
from explorer.measure.taken_in import taken_in
from explorer.stopping import Stop
from explorer.train.checkpoint import Checkpoint
from explorer.train.hints import Hints, hint_error, regressor, watched
from explorer.train.masks import Masks
from explorer.train.objective import Batch, Objective
from explorer.train.penalties import Penalty
from explorer.train.resume import go_on
from explorer.train.run import Run
from explorer.train.samples import Samples
from explorer.train.settings import TrainSettings
from explorer.train.targets import SoftTargets, Target
from explorer.train.teacher import Teacher, forward
from explorer.train.training import Records, judged_by, records


class Imitation(Objective):
    """What a student minimizes."""

    def __init__(self, teacher: Teacher, target: Target) -> None:
        if not isinstance(target, Target):
            raise TypeError(
                "target must be HardLabels(), MatchLogits(), SoftTargets() or Hints(...); "
                f"got {target!r:.80}"
            )
        self.teacher, self.target = teacher, target
        self._hints = target if isinstance(target, Hints) else None
        self._live = self._hints is not None
        self._along = nn.Module()
        self._live_answers = torch.empty(0)
        self._outputs: tuple[Tensor, Tensor] | None = None

    def begin(self, net: nn.Module, samples: Samples, settings: TrainSettings) -> None:
        """See that teacher, student and data fit each other; make the regressor of hints."""
        moved = settings.max_shift > 0 and self.target.needs_answers
        if moved and self.teacher.given:
            raise ValueError(
                "logits: they are those of images that stay where they are, and "
                f"settings.max_shift={settings.max_shift} moves them: leave logits out, or set "
                "max_shift=0"
            )
        self._live = moved or self._hints is not None
        first = torch.zeros(1, dtype=torch.int64)
        device = device_of(net)
        inputs, labels = (on_device(part, device) for part in samples.take(first))
        with torch.no_grad():
            n_student = self.scores(net, Batch(inputs, labels, first)).shape[1]
        if self.target.needs_answers:
            self._check_classes(n_student, inputs)
        if self._outputs is not None:
            own, theirs = (output.shape[1:] for output in self._outputs)
            self._along = regressor(own, theirs, settings.seed).to(device_of(net))
            self._outputs = None

    def _check_classes(self, n_student: int, inputs: Tensor) -> None:
        n_teacher = self.teacher.n_classes(inputs)
        if n_student != n_teacher:
            raise ValueError(
                f"student: it has {n_student} outputs, the teacher {n_teacher}; both need one "
                "for each class"
            )

    def prepare(self, should_stop: Stop | None = None) -> bool:
        """Ask the teacher what can be asked before the first step; False where stopped."""
        return not self._keeps or self.teacher.prepare(should_stop)

    @property
    def _keeps(self) -> bool:
        """Whether answers come from kept logits."""
        return self.target.needs_answers and (self.teacher.given or not self._live)

    @property
    def trained(self) -> nn.Module:
        """The regressor of hints."""
        return self._along

    @property
    def identity(self) -> dict[str, Any]:
        """The target, and a digest of the teacher."""
        return {"target": repr(self.target), **self.teacher.digests}

    def scores(self, net: nn.Module, batch: Batch) -> Tensor:
        """Run the student, and the teacher where its answers are not kept."""
        if self._hints is None:
            if self._live:
                self._live_answers = self.teacher.ask(batch.inputs)
            return forward(net, batch.inputs, "student")
        hints = self._hints
        with watched(net, hints.student_layer, "Hints: student_layer") as own:
            scores = forward(net, batch.inputs, "student")
        with watched(self.teacher.net, hints.teacher_layer, "Hints: teacher_layer") as theirs:
            self._live_answers = self.teacher.ask(batch.inputs)
        self._outputs = own.output, theirs.output.to(scores.device)
        return scores

    def parts(self, scores: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the target's terms and, with hints, ``"hint"``."""
        found = self.target.parts(scores, batch.labels, self._answers_for(scores, batch))
        if self._hints is not None and self._outputs is not None:
            found["hint"] = self._hints.strength * hint_error(self._along, *self._outputs)
            self._outputs = None
        return found

    def _answers_for(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return the teacher's logits for a batch; nothing where the target asks for none."""
        if not self.target.needs_answers:
            return scores.new_empty(0)
        answers = self.teacher.kept(batch.chosen) if self._keeps else self._live_answers
        return answers.to(scores.device, scores.dtype)


def distill(
    teacher: nn.Module,
    student: nn.Module,
    data: Any,
    settings: TrainSettings | None = None,
    *,
    target: Target | None = None,
    logits: Tensor | None = None,
    penalties: Iterable[Penalty] = (),
    masks: Masks | None = None,
    groups: Mapping[str, Shared] | None = None,
    validation: Any = None,
    resume: Checkpoint | None = None,
    should_stop: Stop | None = None,
    metric: Metric | Callable[[nn.Module], Any] | None = None,
) -> Records:
    """Train a copy of a student by a teacher's answers, yielding a record after each step.

    The teacher is asked once for all samples, before the first step, and its logits are kept.
    Where ``settings.max_shift`` moves the images it answers each moved image itself, at every
    step; so it does for the middle layer of `Hints`.

    Parameters
    ----------
    teacher : Module
        In eval mode; gives scores of shape (n, n_classes). Left unchanged.
    student : Module
        Gives as many scores. Left unchanged.
    data : Data, Dataset or pair of Tensor
        As for `train`.
    settings : TrainSettings, optional
    target : HardLabels, MatchLogits, SoftTargets or Hints, optional
        What the student learns from; by default ``SoftTargets()``.
    logits : Tensor, shape (n, n_classes), optional
        The teacher's, as `teacher_logits` gives them for `data`; in place of asking.
    penalties, masks, groups, validation, resume, should_stop, metric
        As for `train`. Going on needs the same teacher and target too.

    Yields
    ------
    TrainRecord
        As `train` does; ``parts`` tells the terms of the loss: ``"soft"``, ``"hard"``,
        ``"logits"``, ``"hint"``.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit; at once. While training, ValueError where the teacher's
        logits or the loss are NaN or infinite: the last record's network then holds the last
        good weights.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.

    Ba, Caruana. "Do deep nets really need to be deep?". NeurIPS 2014. arXiv:1312.6184.

    Romero, Ballas, Kahou, Chassang, Gatta, Bengio. "FitNets: hints for thin deep nets".
    ICLR 2015. arXiv:1412.6550.
    """
    student = taken_in(student, data, name="student", may_write=True)
    samples = Samples(data)
    target = SoftTargets() if target is None else target
    imitation = Imitation(Teacher(teacher, samples, logits), target)
    settings = settings or TrainSettings()
    run = Run(student, samples, settings, penalties, masks, groups, imitation)
    if resume is not None:
        go_on(run, resume)
    return _records(run, imitation, judged_by(data, validation, metric), should_stop)


def _records(run: Run, imitation: Imitation, validation: Any, should_stop: Stop | None) -> Records:
    """Ask the teacher before the first step, then go on as `train` does."""
    if run.finished or imitation.prepare(should_stop):
        yield from records(run, validation, should_stop)
