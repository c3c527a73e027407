"""The bundled networks by name: all of them read handwritten digits."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from explorer.zoo.lenets import LENETS
from explorer.zoo.students import two_layers


def mnist_teacher() -> nn.Sequential:
    """Make the large network that others learn from, with random weights.

    Layers ``fc1`` (784 to 1200), ``fc2`` (1200 to 1200) and ``fc3`` (1200 to 10) with ReLU
    between them; while it is trained, a fifth of the hidden units drop out: 2,395,210
    parameters, biases included.

    Returns
    -------
    nn.Sequential
        Takes images of shape (n, 1, 28, 28), gives logits of shape (n, 10).

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.
    """
    return two_layers(1200, hidden_dropout=0.2)


def mnist_student() -> nn.Sequential:
    """Make the small network that learns, with random weights.

    Layers ``fc1`` (784 to 800), ``fc2`` (800 to 800) and ``fc3`` (800 to 10) with ReLU between
    them: 1,276,810 parameters, biases included.

    Returns
    -------
    nn.Sequential
        Takes images of shape (n, 1, 28, 28), gives logits of shape (n, 10).

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.
    """
    return two_layers(800)


BUNDLED: dict[str, Callable[[], nn.Sequential]] = {
    **LENETS,
    "mnist-teacher": mnist_teacher,
    "mnist-student": mnist_student,
    "mnist-student-distilled": mnist_student,
}
