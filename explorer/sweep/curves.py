"""method_curves: all methods compared, and the frontier of points."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from torch import nn

from explorer.compress.networks.plain import plain_network
from explorer.compress.networks.recipe import Recipe
from explorer.compress.networks.weights import compressible
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Metric, Score, as_metric
from explorer.measure.taken_in import taken_in
from explorer.sweep.dials import coarse_to_fine
from explorer.sweep.methods import METHODS, Method
from explorer.sweep.point import Hear, Point, unheard
from explorer.sweep.retrained import SHORT, Retrainer
from explorer.sweep.run import sweep
from explorer.train.settings import TrainSettings

T = TypeVar("T")
TopK = Literal["top1", "top5"]
METRICS = ("top1", "top5")


def frontier(points: Iterable[T], metric: TopK = "top1") -> list[T]:
    """Return the points that no other point dominates, smallest compression ratio first.

    One point dominates another if it is as good in compression ratio and in accuracy, or the
    score of a metric, and better in one of them. Of points that are equal in both, all stay.

    Parameters
    ----------
    points : iterable of Point, CurvePoint or SensitivityPoint
        Those without accuracy are left out.
    metric : {"top1", "top5"}

    Returns
    -------
    list
        Some of the objects of `points`.

    Raises
    ------
    ValueError
        If `metric` is neither.
    TypeError
        If an object is no point.
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be 'top1' or 'top5'; got {metric!r}")
    placed = [(*place, item) for item in points if (place := _place(item, metric)) is not None]
    placed.sort(key=lambda entry: (-entry[0], -entry[1]))
    found: list[T] = []
    best, its_ratio = float("-inf"), float("nan")
    for ratio, accuracy, item in placed:
        if accuracy > best or (accuracy == best and ratio == its_ratio):
            found.append(item)
            best, its_ratio = accuracy, ratio
    return found[::-1]


def _place(item: Any, metric: str) -> tuple[float, float] | None:
    """Return compression ratio and goodness; None where they are not known."""
    point = getattr(item, "point", item)
    if not isinstance(point, Point):
        raise TypeError(
            f"points must be what sweep, method_curves or sensitivity yield; got "
            f"{type(item).__name__}"
        )
    if point.accuracy is None or not point.size_bytes:
        return None
    return point.compression_ratio, point.accuracy.scale.goodness(reading(point.accuracy, metric))


def reading(judged: Accuracy | Score | None, metric: str) -> float:
    """Return top-1 or top-5 accuracy; of a score its value; NaN for None."""
    if judged is None:
        return float("nan")
    return judged.top5 if isinstance(judged, Accuracy) and metric == "top5" else judged.value


@dataclass(frozen=True)
class CurvePoint:
    """A network compressed by one method at one setting.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    value : float or str
        The method's setting: density, bits, values k, stages, share of the break-even
        rank, or the scale of binary weights.
    point : Point
        Bytes and accuracy.
    retrained : bool
        Whether the network was shortly retrained under the method's constraints.
    """

    method: str
    value: Any
    point: Point
    retrained: bool = False


@dataclass(frozen=True)
class Planned:
    """A point of a curve that is to be measured."""

    method: str
    value: Any
    recipe: Recipe


def method_curves(
    net: nn.Module,
    data: Any,
    *,
    methods: Iterable[str] | None = None,
    retrained: bool = False,
    training: TrainSettings = SHORT,
    executor: Executor | None = None,
    store: str | Path | None = None,
    should_stop: Callable[[], bool] | None = None,
    progress: Hear = unheard,
    metric: Metric | Callable[[nn.Module], Any] | None = None,
    **options: Any,
) -> Generator[CurvePoint, None, None]:
    """Measure all methods over their settings, yielding points as they finish.

    Parameters
    ----------
    net : Module
        Left unchanged.
    data : Data, Dataset, iterable of batches, or None
        As for `sweep`.
    methods : iterable of str, optional
        Keys of `explorer.sweep.methods.METHODS`; by default all.
    retrained : bool
        Whether pruning, sharing, and both together come a second time, each point
        shortly retrained on the ``tune`` part of `data`. These points are computed in
        this process, one after the other, and are not kept in `store`.
    training : TrainSettings
        How they are retrained; by default 100 steps, at most five epochs.
    executor, store, should_stop, progress, metric
        As for `sweep`; retraining asks `should_stop` after every step.
    **options
        ``input_shape``, ``loader`` and ``folder``, as for `sweep`.

    Yields
    ------
    CurvePoint

    Raises
    ------
    TypeError, ValueError
        If the network or a method is not valid, or there is nothing to retrain on; at once.

    References
    ----------
    Gong, Liu, Yang, Bourdev. "Compressing deep convolutional networks using vector
    quantization". 2014. arXiv:1412.6115. Figure 3.

    Han, Mao, Dally. "Deep compression: compressing deep neural networks with pruning,
    trained quantization and Huffman coding". ICLR 2016. arXiv:1510.00149. Figure 6.
    """
    net = taken_in(net, data)
    plan = planned(net, methods)
    retrainer = Retrainer(net, data, training, as_metric(metric)) if retrained else None
    wanted: dict[Recipe, list[Planned]] = {}
    for one in plan:
        wanted.setdefault(one.recipe, []).append(one)
    points = sweep(
        net,
        data,
        list(wanted),
        executor=executor,
        store=store,
        should_stop=should_stop,
        progress=progress,
        metric=metric,
        **options,
    )
    again = [one for one in plan if METHODS[one.method].trains] if retrainer else []
    return _points(points, wanted, again, retrainer, should_stop)


def _points(
    points: Generator[Point, None, None],
    wanted: Mapping[Recipe, list[Planned]],
    again: Sequence[Planned],
    retrainer: Retrainer | None,
    should_stop: Callable[[], bool] | None,
) -> Generator[CurvePoint, None, None]:
    try:
        for point in points:
            for one in wanted[point.recipe]:
                yield CurvePoint(one.method, one.value, point)
    finally:
        points.close()
    if retrainer is not None:
        for one in again:
            found = retrainer.point(one.recipe, should_stop)
            if found is None:
                return
            yield CurvePoint(one.method, one.value, found, retrained=True)


def planned(net: nn.Module, methods: Iterable[str] | None = None) -> list[Planned]:
    """List what is to be measured, coarse to fine.

    `methods`: by default all. Raises ValueError if there is no such method.
    """
    shapes = {
        name: tuple(weight.shape) for name, weight in compressible(plain_network(net)).items()
    }
    rounds = [
        [(i, method, value) for i, value in enumerate(coarse_to_fine(method.values))]
        for method in _chosen(methods)
    ]
    order = sorted((item for one in rounds for item in one), key=lambda item: item[0])
    return [Planned(method.name, value, method.recipe(value, shapes)) for _, method, value in order]


def _chosen(methods: Iterable[str] | None) -> list[Method]:
    names = list(METHODS) if methods is None else list(methods)
    for name in names:
        if name not in METHODS:
            raise ValueError(f"methods: {name!r} is not one of {', '.join(METHODS)}")
    return [METHODS[name] for name in names]
