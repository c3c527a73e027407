"""Hinton's distillation of digits, and its lessons."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass

from torch import Tensor, nn

from explorer.measure.accuracy import evaluate
from explorer.reproduce.digits import Digits
from explorer.reproduce.distilled import answers_of
from explorer.reproduce.log import Log, n_weights, on_threads
from explorer.reproduce.record import Goal, Moment, Published, Reproduction
from explorer.train.data_variants import fresh
from explorer.train.record import TrainRecord
from explorer.train.settings import TrainSettings
from explorer.train.targets import HardLabels, SoftTargets, Target
from explorer.zoo.architectures import mnist_student
from explorer.zoo.tensor_files import rounded

MOST_OF_PLAIN = 0.6


@dataclass(frozen=True)
class HintonSettings:
    """How the two students are trained.

    `train`: of both: they start from the same weights and see the same images in the same order.
    `target`: what the one learns from; the other learns from the labels. `n_threads`: threads that
    torch uses meanwhile. One repeats to the last bit.
    """

    train: TrainSettings
    target: SoftTargets
    n_threads: int = 1


def hinton(
    name: str, net: nn.Module, digits: Digits, settings: HintonSettings, published: Published
) -> Generator[Moment | Reproduction, None, None]:
    """Train two students, 784-800-800-10, and judge both on the test images, once.

    They are judged as they are kept: with weights rounded to half precision.

    `net`: the trained teacher. Left unchanged. Yields: for the teacher, then after each epoch of
    each student; once, last, with both students as ``networks``.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.
    """
    log = Log(net, digits, [])
    yield log.judge("teacher", net)
    answers = answers_of(net, digits.train[0])
    first = fresh(mnist_student, settings.train.seed)
    students = {}
    for student, stage, target in (
        ("mnist-student", "labels", HardLabels()),
        ("mnist-student-distilled", "distill", settings.target),
    ):
        records = lesson(
            net,
            first,
            digits,
            settings.train,
            target,
            answers=answers,
            n_threads=settings.n_threads,
        )
        trained = yield from log.follow(stage, records)
        students[student] = rounded(trained)
    yield _concluded(name, students, log, settings, published)


def _concluded(
    name: str,
    students: dict[str, nn.Module],
    log: Log,
    settings: HintonSettings,
    published: Published,
) -> Reproduction:
    digits, images = log.digits, log.digits.test.tensors[0]
    plain, distilled = students.values()
    teacher_accuracy, plain_accuracy, accuracy = (
        evaluate(net, digits.test) for net in (log.net, plain, distilled)
    )
    errors = {
        "error": 1 - accuracy.top1,
        "error_ref": 1 - teacher_accuracy.top1,
        "error_plain": 1 - plain_accuracy.top1,
    }
    return Reproduction(
        name=name,
        published=published,
        reached={
            **errors,
            "error_of_plain": errors["error"] / max(errors["error_plain"], 1 / len(images)),
            "agreement": agreement(distilled, log.net, images),
            "agreement_plain": agreement(plain, log.net, images),
            "n_weights": n_weights(distilled),
        },
        goals=(Goal("error_of_plain", high=MOST_OF_PLAIN),),
        accuracy=accuracy,
        dense_accuracy=teacher_accuracy,
        validation=evaluate(distilled, digits.validation),
        seconds=log.seconds,
        cpu_seconds=log.cpu_seconds,
        settings=asdict(settings),
        history=tuple(log.history),
        networks=students,
    )


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

    `teacher`, `student`: left unchanged. `target`: what the student learns from: labels, or answers
    of the teacher. `answers`: shape (n, n_classes); the teacher's logits for these images; unused
    where labels are the target. `n_threads`: with one, a run repeats to the last bit. Yields:
    judged on the validation images at the end of each epoch.
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

    `images`: shape (n, ...).
    """
    same = answers_of(net, images).argmax(1) == answers_of(teacher, images).argmax(1)
    return same.double().mean().item()
