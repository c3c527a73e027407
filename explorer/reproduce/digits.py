"""The images of a reproduction: to train on, to choose by, to report on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from explorer.zoo.mnist import is_in_sample, mnist_sample, normalize, read_mnist, test_split


@dataclass(frozen=True, eq=False)
class Digits:
    """Handwritten digits in three parts that share no image.

    `train`: images float32 (n, 1, 28, 28), normalized, and labels int64 (n,). `validation`: for
    choosing settings. `test`: for the error that is reported, once, at the end.
    """

    train: tuple[Tensor, Tensor]
    validation: TensorDataset
    test: TensorDataset
    name: str

    @classmethod
    def mnist(cls, root: str | Path | None = None) -> Digits:
        """Read MNIST: 55,000 images to train on, 5,000 to choose by, 10,000 test images.

        The 5,000 are the first 500 training images of each class, on which the bundled
        networks were not trained either.

        `root`: a folder holding ``MNIST/raw``; by default as `explorer.zoo.mnist.read_mnist`.
        Raises DataUnavailable if the images are not there and cannot be downloaded.
        """
        pixels, labels = read_mnist(train=True, root=root)
        held = is_in_sample(labels)
        return cls(
            (normalize(pixels[~held]), labels[~held]),
            TensorDataset(normalize(pixels[held]), labels[held]),
            test_split(root),
            "MNIST",
        )

    @classmethod
    def sample(cls) -> Digits:
        """Take the 5,000 bundled images, for trying things out: 3,000, 1,000 and 1,000.

        No figure from so few images is worth reporting.
        """
        data = mnist_sample()
        images, labels = data.eval.tensors  # type: ignore[attr-defined]
        half = len(labels) // 2
        return cls(
            data.tune.tensors,  # type: ignore[attr-defined]
            TensorDataset(images[:half], labels[:half]),
            TensorDataset(images[half:], labels[half:]),
            "sample",
        )

    def first(self, n: int) -> Digits:
        """Return the same with at most `n` images in each part, chosen at random."""
        return Digits(
            _some(self.train, n),
            TensorDataset(*_some(self.validation.tensors, n)),
            TensorDataset(*_some(self.test.tensors, n)),
            f"{self.name}, {n} images",
        )


def _some(tensors: tuple[Tensor, ...], n: int) -> tuple[Tensor, Tensor]:
    images, labels = tensors
    chosen = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))[:n]
    return images[chosen], labels[chosen]
