"""The LeNets and the bundled networks of digits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from torch import nn

from explorer.zoo.students import two_layers

LENET_INPUT_SHAPE = (1, 28, 28)


def lenet_300_100() -> nn.Sequential:
    """Make LeNet-300-100, two hidden dense layers, with random weights.

    Layers ``fc1`` (784 to 300), ``fc2`` (300 to 100) and ``fc3`` (100 to 10)
    with ReLU between them: 266,610 parameters, biases included.

    Returns: takes images of shape (n, 1, 28, 28), gives logits of shape (n, 10).

    References
    ----------
    LeCun, Bottou, Bengio, Haffner. "Gradient-based learning applied to document
    recognition". Proceedings of the IEEE, 1998.
    """
    return nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),
            fc1=nn.Linear(784, 300),
            relu1=nn.ReLU(),
            fc2=nn.Linear(300, 100),
            relu2=nn.ReLU(),
            fc3=nn.Linear(100, 10),
        )
    )


def lenet_5() -> nn.Sequential:
    """Make LeNet-5 as Caffe draws it, with random weights.

    Layers ``conv1`` (20 filters of 5x5), ``conv2`` (50 of 5x5), ``fc1`` (800 to
    500) and ``fc2`` (500 to 10); each convolution is followed by ReLU and a 2x2
    maximum, ``fc1`` by ReLU: 431,080 parameters, biases included. Caffe has no
    ReLU after the convolutions; it is added because training is stabler with it.

    Returns: takes images of shape (n, 1, 28, 28), gives logits of shape (n, 10).

    References
    ----------
    LeCun, Bottou, Bengio, Haffner. "Gradient-based learning applied to document
    recognition". Proceedings of the IEEE, 1998.

    Jia et al. "Caffe: convolutional architecture for fast feature embedding".
    ACM Multimedia 2014. arXiv:1408.5093.
    """
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 20, 5),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(20, 50, 5),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(800, 500),
            relu3=nn.ReLU(),
            fc2=nn.Linear(500, 10),
        )
    )


LENETS = {"lenet-300-100": lenet_300_100, "lenet-5": lenet_5}


def mnist_teacher() -> nn.Sequential:
    """Make the large network that others learn from, with random weights.

    Layers ``conv1`` (32 filters of 5x5) and ``conv2`` (64 of 5x5), each followed by ReLU and a
    2x2 maximum, ``fc1`` (1024 to 2048) with ReLU and ``fc2`` (2048 to 10); while it is trained,
    half of the hidden units of ``fc1`` drop out: 2,171,786 parameters, biases included.

    Returns: takes images of shape (n, 1, 28, 28), gives logits of shape (n, 10).

    References
    ----------
    LeCun, Bottou, Bengio, Haffner. "Gradient-based learning applied to document
    recognition". Proceedings of the IEEE, 1998.
    """
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 32, 5),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(32, 64, 5),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(1024, 2048),
            relu3=nn.ReLU(),
            drop1=nn.Dropout(0.5),
            fc2=nn.Linear(2048, 10),
        )
    )


def mnist_student() -> nn.Sequential:
    """Make the small network that learns, with random weights.

    Layers ``fc1`` (784 to 800), ``fc2`` (800 to 800) and ``fc3`` (800 to 10) with ReLU between
    them: 1,276,810 parameters, biases included.

    Returns: takes images of shape (n, 1, 28, 28), gives logits of shape (n, 10).

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
