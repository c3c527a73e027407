"""Distillation: a student network learns from a teacher's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor, nn

from explorer.compress.methods.share import Shared
from explorer.measure.metric import Metric
from explorer.measure.taken_in import taken_in
from explorer.train.checkpoint import Checkpoint
from explorer.train.imitation import Imitation
from explorer.train.masks import Masks
from explorer.train.penalties import Penalty
from explorer.train.resume import go_on
from explorer.train.run import Run
from explorer.train.samples import Samples
from explorer.train.settings import TrainSettings
from explorer.train.targets import SoftTargets, Target
from explorer.train.teacher import Teacher
from explorer.train.training import Records, Stop, judged_by, records


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
