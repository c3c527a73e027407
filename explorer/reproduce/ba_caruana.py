"""Shallow students that match a deep network's logits, against twins that learn from labels."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass, replace
from statistics import fmean, stdev

import torch
from torch import nn

from explorer.measure.accuracy import Accuracy, evaluate
from explorer.reproduce.digits import Digits
from explorer.reproduce.distilled import answers_of
from explorer.reproduce.hinton import agreement, lesson
from explorer.reproduce.log import Log
from explorer.reproduce.record import Goal, Moment, Published, Reproduction
from explorer.train.data_variants import fresh
from explorer.train.settings import TrainSettings
from explorer.train.targets import HardLabels, MatchLogits, Target
from explorer.zoo.students import shallow

LEAST_GAIN = 1e-4


@dataclass(frozen=True)
class BaCaruanaSettings:
    """What is compared.

    `n_weights`: of the students, which have one hidden layer. `train`: of all students, but for the
    seed. Adam suits both losses, of whatever size they are. `n_images`: training images, chosen at
    random, the same for all. `seeds`: each gives first weights and an order of the images, the same
    for both students; at least two. `n_threads`: threads that torch uses meanwhile. One repeats to
    the last bit.
    """

    n_weights: int
    train: TrainSettings
    n_images: int
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    n_threads: int = 1

    def __post_init__(self) -> None:
        if len(self.seeds) < 2:
            raise ValueError(
                f"BaCaruanaSettings: seeds must be two or more, for a spread; got {self.seeds!r}"
            )


@dataclass(frozen=True)
class _Judged:
    net: nn.Module
    accuracy: Accuracy
    agreement: float

    @property
    def error(self) -> float:
        return 1 - self.accuracy.top1


def ba_caruana(
    name: str, net: nn.Module, digits: Digits, settings: BaCaruanaSettings, published: Published
) -> Generator[Moment | Reproduction, None, None]:
    """Train pairs of shallow students, one pair a seed, and judge them on the test images.

    `net`: the trained teacher. Left unchanged. Yields: for the teacher, then after each epoch of
    each student; once, last, with curves over the seeds. Its ``accuracy`` is that of the first
    seed's student that matches logits.

    References
    ----------
    Ba, Caruana. "Do deep nets really need to be deep?". NeurIPS 2014. arXiv:1312.6184.
    """
    log = Log(net, digits, [])
    yield log.judge("teacher", net)
    chosen = _chosen(len(digits.train[1]), settings.n_images)
    few = replace(digits, train=(digits.train[0][chosen], digits.train[1][chosen]))
    answers = answers_of(net, few.train[0])
    targets: dict[str, Target] = {"labels": HardLabels(), "mimic": MatchLogits()}
    judged: dict[str, list[_Judged]] = {stage: [] for stage in targets}
    for seed in settings.seeds:
        first = fresh(lambda: shallow(settings.n_weights), seed)
        train = replace(settings.train, seed=seed)
        for stage, target in targets.items():
            records = lesson(
                net,
                first,
                few,
                train,
                target,
                answers=answers,
                n_threads=settings.n_threads,
            )
            trained = yield from log.follow(f"{stage}, seed {seed}", records)
            judged[stage].append(_judge(trained, net, digits))
    yield _concluded(name, judged, log, settings, published)


def _chosen(n: int, n_chosen: int) -> torch.Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(0))[:n_chosen]


def _judge(net: nn.Module, teacher: nn.Module, digits: Digits) -> _Judged:
    images = digits.test.tensors[0]
    return _Judged(net, evaluate(net, digits.test), agreement(net, teacher, images))


def _concluded(
    name: str,
    judged: dict[str, list[_Judged]],
    log: Log,
    settings: BaCaruanaSettings,
    published: Published,
) -> Reproduction:
    labels, mimic = judged["labels"], judged["mimic"]
    pairs = list(zip(labels, mimic, strict=True))
    teacher = evaluate(log.net, log.digits.test)
    return Reproduction(
        name=name,
        published=published,
        reached={
            **_spread("error_mimic", [one.error for one in mimic]),
            **_spread("error_labels", [one.error for one in labels]),
            **_spread("agreement_mimic", [one.agreement for one in mimic]),
            **_spread("agreement_labels", [one.agreement for one in labels]),
            **_gain("error_gain", [plain.error - own.error for plain, own in pairs]),
            **_gain("agreement_gain", [own.agreement - plain.agreement for plain, own in pairs]),
            "error_ref": 1 - teacher.top1,
            "n_seeds": len(pairs),
        },
        goals=(
            Goal("least_error_gain", low=LEAST_GAIN),
            Goal("least_agreement_gain", low=LEAST_GAIN),
        ),
        accuracy=mimic[0].accuracy,
        dense_accuracy=teacher,
        validation=evaluate(mimic[0].net, log.digits.validation),
        seconds=log.seconds,
        cpu_seconds=log.cpu_seconds,
        settings=asdict(settings),
        history=tuple(log.history),
        curves=_curves(settings.seeds, judged),
    )


def _spread(name: str, values: list[float]) -> dict[str, float]:
    return {f"mean_{name}": fmean(values), f"sd_{name}": stdev(values)}


def _gain(name: str, values: list[float]) -> dict[str, float]:
    return {**_spread(name, values), f"least_{name}": min(values)}


def _curves(
    seeds: tuple[int, ...], judged: dict[str, list[_Judged]]
) -> dict[str, tuple[tuple[float, float], ...]]:
    curves = {}
    for stage, ones in judged.items():
        pairs = [(float(seed), one) for seed, one in zip(seeds, ones, strict=True)]
        curves[stage] = tuple((seed, one.accuracy.top1) for seed, one in pairs)
        curves[f"{stage}, agreement"] = tuple((seed, one.agreement) for seed, one in pairs)
    return curves
