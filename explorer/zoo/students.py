"""Networks of different shapes with equally many parameters, to teach and be taught."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn

DIGIT_SHAPE = (1, 28, 28)
N_CLASSES = 10
TOLERANCE = 0.01
KERNEL, POOL = 5, 2


def shallow(
    n_weights: int,
    bottleneck: int | None = None,
    input_shape: tuple[int, ...] = DIGIT_SHAPE,
    n_classes: int = N_CLASSES,
) -> nn.Sequential:
    """Make a network with one hidden layer (SNN), with random weights.

    `n_weights`: parameters, biases included; met to 1 % by the width of the hidden layer.
    `bottleneck`: width of a linear layer without bias between the input and the hidden layer, which
    leaves more of the parameters to the hidden layer and makes learning faster. `input_shape`: of
    one input. Returns: ``flatten``, ``bottleneck`` where asked for, ``fc1``, ``relu1``, ``fc2``;
    gives logits of shape (n, n_classes). Raises ValueError if no width comes within 1 %; the
    message names the counts nearest. Raises TypeError if a count is no integer.

    References
    ----------
    Ba, Caruana. "Do deep nets really need to be deep?". NeurIPS 2014. arXiv:1312.6184.
    """
    _check(input_shape, n_weights=n_weights, n_classes=n_classes)
    if bottleneck is not None:
        _check(input_shape, bottleneck=bottleneck)

    def build(width: int) -> nn.Sequential:
        layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
        n_inputs = math.prod(input_shape)
        if bottleneck is not None:
            layers["bottleneck"] = nn.Linear(n_inputs, bottleneck, bias=False)
        layers |= _dense([bottleneck or n_inputs, width, n_classes])
        return nn.Sequential(layers)

    return _sized("shallow", build, n_weights)


def deep(
    n_weights: int,
    input_shape: tuple[int, ...] = DIGIT_SHAPE,
    n_classes: int = N_CLASSES,
) -> nn.Sequential:
    """Make a network with three hidden layers of one width (DNN), with random weights.

    `n_weights`, `input_shape`, `n_classes`: as for `shallow`. Returns: ``flatten``, then ``fc1`` to
    ``fc4`` with ReLU between them. Raises ValueError, TypeError as for `shallow`.

    References
    ----------
    Ba, Caruana. "Do deep nets really need to be deep?". NeurIPS 2014. arXiv:1312.6184.
    """
    _check(input_shape, n_weights=n_weights, n_classes=n_classes)

    def build(width: int) -> nn.Sequential:
        sizes = [math.prod(input_shape), *[width] * 3, n_classes]
        return nn.Sequential(OrderedDict(flatten=nn.Flatten()) | _dense(sizes))

    return _sized("deep", build, n_weights)


def convolutional(
    n_weights: int,
    n_filters: int = 8,
    input_shape: tuple[int, ...] = DIGIT_SHAPE,
    n_classes: int = N_CLASSES,
) -> nn.Sequential:
    """Make a network with three hidden layers above a convolution (CNN), with random weights.

    `n_weights`, `n_classes`: as for `shallow`. `n_filters`: of 5x5, without padding; their maps are
    halved by a 2x2 maximum. `input_shape`: channels, height and width, at least 6 each way.
    Returns: ``conv1``, ``relu0``, ``pool1``, ``flatten``, then ``fc1`` to ``fc4`` with ReLU between
    them. Raises ValueError, TypeError as for `shallow`; also if the inputs are no images, or too
    small ones.

    References
    ----------
    Ba, Caruana. "Do deep nets really need to be deep?". NeurIPS 2014. arXiv:1312.6184.
    """
    _check(input_shape, n_weights=n_weights, n_filters=n_filters, n_classes=n_classes)
    if len(input_shape) != 3 or min(input_shape[1:]) < KERNEL + POOL - 1:
        raise ValueError(
            "convolutional: input_shape must be (channels, height, width) with at least "
            f"{KERNEL + POOL - 1} pixels each way; got {tuple(input_shape)}"
        )
    maps = [(size - KERNEL + 1) // POOL for size in input_shape[1:]]

    def build(width: int) -> nn.Sequential:
        below = OrderedDict(
            conv1=nn.Conv2d(input_shape[0], n_filters, KERNEL),
            relu0=nn.ReLU(),
            pool1=nn.MaxPool2d(POOL),
            flatten=nn.Flatten(),
        )
        sizes = [n_filters * math.prod(maps), *[width] * 3, n_classes]
        return nn.Sequential(below | _dense(sizes))

    return _sized("convolutional", build, n_weights)


def two_layers(
    width: int,
    input_dropout: float = 0.0,
    hidden_dropout: float = 0.0,
    input_shape: tuple[int, ...] = DIGIT_SHAPE,
    n_classes: int = N_CLASSES,
) -> nn.Sequential:
    """Make a network with two hidden layers of one width, with random weights.

    `input_dropout`, `hidden_dropout`: share of the inputs, and of the hidden units, that dropout
    leaves out while training, in [0, 1). Where it is 0 there is no dropout layer. Returns:
    ``flatten``, ``drop0``, ``fc1``, ``relu1``, ``drop1``, ``fc2``, ``relu2``, ``drop2``, ``fc3``;
    gives logits of shape (n, n_classes). Raises ValueError, TypeError if an argument is out of
    range.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.
    """
    _check(input_shape, width=width, n_classes=n_classes)
    for name, share in (("input_dropout", input_dropout), ("hidden_dropout", hidden_dropout)):
        if isinstance(share, bool) or not isinstance(share, (int, float)):
            raise TypeError(f"{name} must be a number in [0, 1); got {share!r}")
        if not 0 <= share < 1:
            raise ValueError(f"{name} must be in [0, 1); got {share!r}")
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    if input_dropout:
        layers["drop0"] = nn.Dropout(input_dropout)
    for name, layer in _dense([math.prod(input_shape), width, width, n_classes]).items():
        layers[name] = layer
        if hidden_dropout and name.startswith("relu"):
            layers[name.replace("relu", "drop")] = nn.Dropout(hidden_dropout)
    return nn.Sequential(layers)


def n_parameters(net: nn.Module) -> int:
    """Return the parameters of a network, biases included."""
    return sum(parameter.numel() for parameter in net.parameters())


def _dense(sizes: list[int]) -> OrderedDict[str, nn.Module]:
    """Make dense layers between these sizes, with ReLU between them."""
    found: OrderedDict[str, nn.Module] = OrderedDict()
    for i in range(1, len(sizes)):
        found[f"fc{i}"] = nn.Linear(sizes[i - 1], sizes[i])
        if i < len(sizes) - 1:
            found[f"relu{i}"] = nn.ReLU()
    return found


def _sized(name: str, build: Callable[[int], nn.Sequential], n_weights: int) -> nn.Sequential:
    """Build with the width that comes nearest to a number of parameters."""

    def count(width: int) -> int:
        with torch.device("meta"):
            return n_parameters(build(width))

    low, high = 1, 2
    while count(high) < n_weights:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < n_weights else (low, middle)
    width = min((low, high), key=lambda w: abs(count(w) - n_weights))
    if abs(count(width) - n_weights) > TOLERANCE * n_weights:
        raise ValueError(
            f"{name}: no width gives {n_weights:,} parameters to 1 %; ask for {count(low):,} or "
            f"{count(high):,}"
        )
    return build(width)


def _check(input_shape: tuple[int, ...], **counts: int) -> None:
    for name, value in [*counts.items(), *(("input_shape's sizes", size) for size in input_shape)]:
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{name} must be an integer; got {value!r}")
        if value < 1:
            raise ValueError(f"{name} must be at least 1; got {value}")
