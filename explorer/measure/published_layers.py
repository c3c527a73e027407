"""Layer by layer, what pruning left in the paper: weights and operations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

HAN2015 = (
    "Han, Pool, Tran, Dally. Learning both weights and connections for efficient neural networks. "
    "NeurIPS 2015. arXiv:1506.02626"
)


@dataclass(frozen=True)
class PublishedLayer:
    """A row of the paper's table.

    Attributes
    ----------
    name : str
        The layer's name there.
    kept : float
        Weights that were kept; fraction.
    flops : float or None
        Operations that were left, with zeros among weights and among the values that enter
        the layer skipped; fraction. None where the figure is not among those compared with.
    """

    name: str
    kept: float
    flops: float | None


@dataclass(frozen=True)
class PublishedPruning:
    """The paper's table of one network.

    Attributes
    ----------
    network : str
    layers : tuple of PublishedLayer
        In the network's order.
    total : PublishedLayer
        All of them.
    same : bool
        Whether the network here has the very shapes of the paper's; False for a later
        version of the same sequence of layers.
    source : str
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

    Parameters
    ----------
    shapes : iterable of tuple of int
        Shapes of the weights of its dense and convolutional layers, in order.

    Returns
    -------
    PublishedPruning or None
        None where the paper has no such network.

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
