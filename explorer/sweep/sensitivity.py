"""How sensitive each layer is: one layer compressed at a time, the others left alone."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from explorer.compress.networks.plain import plain_network
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.compress.networks.weights import compressible
from explorer.compress.records.record import as_matrix
from explorer.measure.metric import Metric
from explorer.measure.taken_in import taken_in
from explorer.sweep.dials import Shape, coarse_to_fine, dial_named
from explorer.sweep.point import Hear, Point, unheard
from explorer.sweep.run import sweep


@dataclass(frozen=True)
class SensitivityPoint:
    """The network with a single layer compressed.

    Attributes
    ----------
    layer : str
    dial : str
        ``"density"``, ``"bits"``, ``"k"`` or ``"rank"``.
    value : float
        Where the dial stands; for ``"rank"`` a share of the full rank, in (0, 1].
    point : Point
        Bytes and accuracy of the whole network.
    """

    layer: str
    dial: str
    value: float
    point: Point


@dataclass(frozen=True)
class Cell:
    """What is to be measured: one layer at one value."""

    layer: str
    value: float
    recipe: Recipe


def sensitivity(
    net: nn.Module,
    data: Any,
    *,
    dial: str = "density",
    layers: Iterable[str] | None = None,
    values: Iterable[float] | None = None,
    executor: Executor | None = None,
    store: str | Path | None = None,
    should_stop: Callable[[], bool] | None = None,
    progress: Hear = unheard,
    metric: Metric | Callable[[nn.Module], Any] | None = None,
    **options: Any,
) -> Generator[SensitivityPoint, None, None]:
    """Measure what compressing each layer alone costs, yielding points as they finish.

    Coarse to fine: the ends of all layers' curves come first, then what lies between.

    Parameters
    ----------
    net : Module
        Left unchanged.
    data : Data, Dataset, iterable of batches, or None
        As for `sweep`.
    dial : {"density", "bits", "k", "rank"}
        What is turned: the share of the weights that pruning keeps; the bits of uniform
        quantization; the shared values of k-means; the share of the full rank
        min(m, n) that is kept. At a density or share of 1 the layer is left alone, and
        all layers have that point in common.
    layers : iterable of str, optional
        By default all layers.
    values : iterable of float, optional
        By default 0.02 to 1 for shares, 1 to 8 bits, and 2 to 256 values.
    executor, store, should_stop, progress, metric
        As for `sweep`.
    **options
        ``input_shape``, ``loader`` and ``folder``, as for `sweep`.

    Yields
    ------
    SensitivityPoint

    Raises
    ------
    TypeError, ValueError
        If the network, the dial, a layer or a value is not valid; at once.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient neural
    networks". NeurIPS 2015. arXiv:1506.02626. Figure 6.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 10))
    >>> points = list(sensitivity(net, None, values=[0.1, 0.5]))
    >>> sorted({(point.layer, point.value) for point in points})
    [('0', 0.1), ('0', 0.5), ('2', 0.1), ('2', 0.5)]
    """
    wanted: dict[Recipe, list[Cell]] = {}
    net = taken_in(net, data)
    for cell in cells(matrix_shapes(net), dial, layers, values):
        wanted.setdefault(cell.recipe, []).append(cell)
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
    return _spread(points, wanted, dial)


def _spread(
    points: Generator[Point, None, None], wanted: Mapping[Recipe, list[Cell]], dial: str
) -> Generator[SensitivityPoint, None, None]:
    try:
        for point in points:
            for cell in wanted[point.recipe]:
                yield SensitivityPoint(cell.layer, dial, cell.value, point)
    finally:
        points.close()


def matrix_shapes(net: nn.Module) -> dict[str, Shape]:
    """Return the shapes (out, in * kh * kw) of the layers' matrices, by layer name."""
    found = {}
    for name, weight in compressible(plain_network(net)).items():
        rows, columns = as_matrix(weight).shape
        found[name] = (rows, columns)
    return found


def cells(
    shapes: Mapping[str, Shape],
    dial: str,
    layers: Iterable[str] | None = None,
    values: Iterable[float] | None = None,
) -> list[Cell]:
    """List what is to be measured, coarse to fine.

    `shapes`: shapes of the layers' matrices. `dial`, `layers`, `values`: as for `sensitivity`.
    Raises ValueError if one of them is not valid.
    """
    turned = dial_named(dial)
    chosen = chosen_layers(shapes, layers)
    return [
        Cell(layer, value, only(layer, turned.steps(value, shapes[layer])))
        for value in coarse_to_fine(turned.checked(values))
        for layer in chosen
    ]


def chosen_layers(known: Iterable[str], layers: Iterable[str] | None) -> Sequence[str]:
    """Return the layers that are asked for, all of them for None; raises for unknown ones."""
    names = list(known)
    if layers is None:
        return names
    given = [layers] if isinstance(layers, str) else list(layers)
    for name in given:
        if name not in names:
            raise ValueError(f"layers: {name!r} is no layer; the layers are: {', '.join(names)}")
    return [name for name in names if name in given]


def only(layer: str, steps: Steps) -> Recipe:
    """Return the recipe that compresses one layer and leaves the others alone."""
    return Recipe(((literal(layer), steps),)) if steps else Recipe()


def literal(name: str) -> str:
    """Escape a layer's name for use as a pattern."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def curve(points: Iterator[SensitivityPoint] | Iterable[SensitivityPoint], layer: str) -> dict:
    """Return the judged points of one layer by value, ascending."""
    own = {p.value: p.point for p in points if p.layer == layer and p.point.accuracy is not None}
    return dict(sorted(own.items()))
