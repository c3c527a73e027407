"""A student's loss against its teacher, as a training run's objective."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import device_of
from explorer.compress.networks.forward import moved as on_device
from explorer.train.hints import Hints, hint_error, regressor
from explorer.train.layer_outputs import watched
from explorer.train.objective import Batch, Objective
from explorer.train.samples import Samples
from explorer.train.settings import TrainSettings
from explorer.train.targets import Target
from explorer.train.teacher import Stop, Teacher, forward


class Imitation(Objective):
    """What a student minimizes.

    Parameters
    ----------
    teacher : Teacher
    target : Target
    """

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
