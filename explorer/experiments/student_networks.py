"""What makes students that fit a teacher: networks of a width, or of a number of weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

from explorer.train.samples import Samples
from explorer.train.teacher import ask
from explorer.zoo.students import convolutional, deep, shallow, two_layers

Maker = Callable[[int], nn.Module]
BOTTLENECKS = (*range(16, 0, -1), None)
FILTERS = (4, 3, 5, 2, 6, 7, 8, 1)
FEWEST_INPUTS = 64
LEAST_SIDE = 9
N_HIDDEN = 3


def makers(teacher: nn.Module, data: Any) -> dict[str, Maker]:
    """Return what makes students for the inputs of some data and a teacher's classes.

    Returns: ``"wide"`` takes the width of two hidden layers; ``"shallow"``, ``"deep"`` and, for
    images, ``"convolutional"`` about how many parameters there should be: all three have as many,
    to 1 %. Raises ValueError if the teacher fails on the data.
    """
    inputs, _ = Samples(data).take(torch.zeros(1, dtype=torch.int64))
    shape, n_classes = tuple(inputs.shape[1:]), ask(teacher, inputs).shape[1]
    fits: dict[str, Any] = {"input_shape": shape, "n_classes": n_classes}
    found: dict[str, Maker] = {
        "wide": partial(two_layers, **fits),
        "shallow": lambda n: _first(
            partial(shallow, attainable(n, shape, n_classes), bottleneck, **fits)
            for bottleneck in (BOTTLENECKS if math.prod(shape) >= FEWEST_INPUTS else (None,))
        ),
        "deep": lambda n: deep(attainable(n, shape, n_classes), **fits),
    }
    if len(shape) == len("chw") and min(shape[1:]) >= LEAST_SIDE:
        found["convolutional"] = lambda n: _first(
            partial(convolutional, attainable(n, shape, n_classes), n_filters, **fits)
            for n_filters in FILTERS
        )
    return found


def attainable(n_weights: int, input_shape: tuple[int, ...], n_classes: int) -> int:
    """Return the number of parameters nearest to one asked for that three equal layers can have.

    Examples
    --------
    >>> attainable(25_000, (1, 28, 28), 10)
    24805
    """
    n_inputs = math.prod(input_shape)

    def count(width: int) -> int:
        below = width * (n_inputs + 1) + (N_HIDDEN - 1) * width * (width + 1)
        return below + n_classes * (width + 1)

    width = 1
    while count(width + 1) <= n_weights:
        width += 1
    return min((count(width), count(width + 1)), key=lambda n: abs(n - n_weights))


def _first(makes: Any) -> nn.Module:
    """Make the first network that comes near enough to the number of parameters."""
    problem: ValueError | None = None
    for make in makes:
        made, problem = _tried(make, problem)
        if made is not None:
            return made
    raise problem or ValueError("n_weights: no network was asked for")


def _tried(
    make: Callable[[], nn.Module], before: ValueError | None
) -> tuple[nn.Module | None, ValueError | None]:
    try:
        return make(), None
    except ValueError as error:
        return None, before or error
