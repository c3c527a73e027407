"""The two LeNets of the pruning papers, as plain sequences of torch modules."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

LENET_INPUT_SHAPE = (1, 28, 28)


def lenet_300_100() -> nn.Sequential:
    """Make LeNet-300-100, two hidden dense layers, with random weights.

    Layers ``fc1`` (784 to 300), ``fc2`` (300 to 100) and ``fc3`` (100 to 10)
    with ReLU between them: 266,610 parameters, biases included.

    Returns
    -------
    nn.Sequential
        Takes images of shape (n, 1, 28, 28), gives logits of shape (n, 10).

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

    Returns
    -------
    nn.Sequential
        Takes images of shape (n, 1, 28, 28), gives logits of shape (n, 10).

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
