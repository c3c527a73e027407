"""Published pruning layer by layer (Han 2015), beside what is left here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from explorer.measure.result import LayerFigures, Result

HAN2015 = (
    "Han, Pool, Tran, Dally. Learning both weights and connections for efficient neural networks. "
    "NeurIPS 2015. arXiv:1506.02626"
)


@dataclass(frozen=True)
class PublishedLayer:
    """A row of the paper's table.

    `name`: the layer's name there. `kept`: weights that were kept; fraction. `flops`: operations
    that were left, with zeros among weights and among the values that enter the layer skipped;
    fraction. None where the figure is not among those compared with.
    """

    name: str
    kept: float
    flops: float | None


@dataclass(frozen=True)
class PublishedPruning:
    """The paper's table of one network.

    `layers`: in the network's order. `total`: all of them. `same`: whether the network here has the
    very shapes of the paper's; False for a later version of the same sequence of layers.
    """

    network: str
    layers: tuple[PublishedLayer, ...]
    total: PublishedLayer
    same: bool = True
    source: str = HAN2015


Shapes = tuple[tuple[int, ...], ...]


def _table(network: str, rows: str) -> PublishedPruning:
    """Read lines of a layer's name, weights and operations left in percent."""
    read = []
    for row in rows.split(","):
        name, kept, *flops = row.split()
        read.append(
            PublishedLayer(name, float(kept) / 100, float(flops[0]) / 100 if flops else None)
        )
    return PublishedPruning(network, tuple(read[:-1]), read[-1])


def _dense(*sizes: int) -> Shapes:
    return tuple((out, into) for into, out in pairwise(sizes))


def _square(kernel: int, *sizes: int) -> Shapes:
    pairs = pairwise(sizes)
    return tuple((out, into, kernel, kernel) for into, out in pairs)


LENET_300_100 = _table("LeNet-300-100", "fc1 8 8, fc2 9 4, fc3 26 17, total 8 8")
LENET_5 = _table("LeNet-5", "conv1 66 66, conv2 12 10, fc1 8 6, fc2 19 10, total 8 16")
ALEXNET = _table(
    "AlexNet",
    "conv1 84, conv2 38, conv3 35, conv4 37, conv5 37, fc6 9, fc7 9, fc8 25, total 11 30",
)
VGG16 = _table(
    "VGG-16",
    "conv1_1 58 58, conv1_2 22 12, conv2_1 34 30, conv2_2 36 29, conv3_1 53 43, conv3_2 24 16, "
    "conv3_3 42 29, conv4_1 32 21, conv4_2 27 14, conv4_3 34 15, conv5_1 35 12, conv5_2 29 9, "
    "conv5_3 36 11, fc6 4 1, fc7 4 2, fc8 23 9, total 7.5 21",
)

_ALEXNET_DENSE = _dense(9216, 4096, 4096, 1000)
_SHAPES: dict[Shapes, tuple[PublishedPruning, bool]] = {
    _dense(784, 300, 100, 10): (LENET_300_100, True),
    (*_square(5, 1, 20, 50), *_dense(800, 500, 10)): (LENET_5, True),
    (
        (96, 3, 11, 11),
        (256, 48, 5, 5),
        (384, 256, 3, 3),
        (384, 192, 3, 3),
        (256, 192, 3, 3),
        *_ALEXNET_DENSE,
    ): (ALEXNET, True),
    ((64, 3, 11, 11), (192, 64, 5, 5), *_square(3, 192, 384, 256, 256), *_ALEXNET_DENSE): (
        ALEXNET,
        False,
    ),
    (
        *_square(3, 3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512),
        *_dense(25088, 4096, 4096, 1000),
    ): (VGG16, True),
}


def published_pruning(shapes: Iterable[tuple[int, ...]]) -> PublishedPruning | None:
    """Find the paper's table of a network.

    `shapes`: shapes of the weights of its dense and convolutional layers, in order. Returns: none
    where the paper has no such network.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient
    neural networks". NeurIPS 2015. arXiv:1506.02626.

    Examples
    --------
    >>> found = published_pruning([(300, 784), (100, 300), (10, 100)])
    >>> found.network, found.layers[0].kept
    ('LeNet-300-100', 0.08)
    """
    found = _SHAPES.get(tuple(tuple(shape) for shape in shapes))
    if found is None:
        return None
    table, same = found
    return PublishedPruning(table.network, table.layers, table.total, same)


NOTHING_MEASURED: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class LayerCost:
    """What is left of one layer.

    `kept`: weights that are not zero, as a fraction. `flops`: operations left, as a fraction: zeros
    among weights, and where they were measured among the values that enter the layer, are skipped.
    `density`: nonzero values among those that enter the layer, as a fraction; None where it was not
    measured.
    """

    name: str
    kept: float
    flops: float
    density: float | None = None


@dataclass(frozen=True)
class LayerCosts:
    """What is left of every layer, beside what the paper left.

    `total`: of all layers together. `n_samples`: samples on which zeros among activations were
    counted; 0: zeros among weights alone. `published`: the paper's table, with as many layers; None
    where it has none. `other_macs`: multiply-accumulates that no weight of these layers takes part
    in; in the total in full.
    """

    layers: tuple[LayerCost, ...]
    total: LayerCost
    n_samples: int = 0
    published: PublishedPruning | None = None
    other_macs: int = 0


def layer_costs(
    result: Result,
    densities: Mapping[str, float] = NOTHING_MEASURED,
    n_samples: int = 0,
    published: PublishedPruning | None = None,
) -> LayerCosts:
    """Count what a recipe leaves, layer by layer.

    The operations of a layer are its multiply-accumulates with nonzero weights, times the
    fraction of nonzero values that enter it. Those that no weight of these layers takes part
    in, such as an LSTM's, are in the total in full. Where the shape of an input is not known, the
    weights of a layer stand for its multiply-accumulates.

    `result`: of the recipe. `densities`: fraction of nonzero values that enter each layer, as
    `explorer.measure.activity.input_density` measures it. `n_samples`: samples it was measured on.
    `published`: to stand beside it. Raises ValueError if the published table has another number of
    layers.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient
    neural networks". NeurIPS 2015. arXiv:1506.02626.
    """
    if published is not None and len(published.layers) != len(result.layers):
        raise ValueError(
            f"published: expected {len(result.layers)} layers, as the network has, "
            f"got {len(published.layers)} of {published.network}"
        )
    rows = tuple(_cost(layer, densities.get(layer.name)) for layer in result.layers)
    wholes = [_operations(layer) for layer in result.layers]
    other = result.other_macs or 0
    left = sum(row.flops * whole for row, whole in zip(rows, wholes, strict=True))
    whole = sum(wholes) + (result.original_other_macs or 0)
    left += other
    total = LayerCost("total", 1.0 - result.sparsity, left / (whole or 1))
    return LayerCosts(rows, total, n_samples if densities else 0, published, other)


def _operations(layer: LayerFigures) -> int:
    return layer.n_weights if layer.original_macs is None else layer.original_macs


def _cost(layer: LayerFigures, density: float | None) -> LayerCost:
    left = layer.density
    if layer.macs is not None and layer.original_macs:
        left = layer.macs / layer.original_macs
    left *= 1.0 if density is None else density
    return LayerCost(layer.name, layer.density, left, density)
