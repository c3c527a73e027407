"""A student taught by labels or by a teacher, and how often the two agree."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from explorer.reproduce.digits import Digits
from explorer.reproduce.distilled import answers_of
from explorer.reproduce.threads import on_threads
from explorer.train.records import TrainRecord
from explorer.train.settings import TrainSettings
from explorer.train.targets import Target


def lesson(
    teacher: nn.Module,
    student: nn.Module,
    digits: Digits,
    settings: TrainSettings,
    target: Target,
    *,
    answers: Tensor,
    n_threads: int = 1,
) -> Iterator[TrainRecord]:
    """Train a copy of a student on the images to train on.

    Parameters
    ----------
    teacher, student : Module
        Left unchanged.
    digits : Digits
    settings : TrainSettings
    target : Target
        What the student learns from: labels, or answers of the teacher.
    answers : Tensor, shape (n, n_classes)
        The teacher's logits for these images; unused where labels are the target.
    n_threads : int
        With one, a run repeats to the last bit.

    Yields
    ------
    TrainRecord
        Judged on the validation images at the end of each epoch.
    """
    from explorer.train.distillation import distill

    records = distill(
        teacher,
        student,
        digits.train,
        settings,
        target=target,
        logits=answers,
        validation=digits.validation,
    )
    return on_threads(n_threads, records)


def agreement(net: nn.Module, teacher: nn.Module, images: Tensor) -> float:
    """Return the share of images that two networks put in the same class.

    Parameters
    ----------
    net, teacher : Module
    images : Tensor, shape (n, ...)
    """
    same = answers_of(net, images).argmax(1) == answers_of(teacher, images).argmax(1)
    return same.double().mean().item()
