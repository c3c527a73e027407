"""The record of the data that a network is judged on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset


@dataclass(frozen=True)
class Data:
    """Labelled images that the network was not trained on, in two parts.

    Attributes
    ----------
    tune : Dataset
        For choosing settings, retraining and calibration; pairs of a float32
        image, normalized as in training, and an int64 label.
    eval : Dataset
        For the accuracy that is shown; shares no image with `tune`.
    name : str
        Short, for a caption.
    classes : tuple of str
        The label's names, in the order of the network's outputs.
    note : str
        Where the images come from, and how many there are.
    mean, std : tuple of float
        What was subtracted from pixels in [0, 1], and what they were then
        divided by, for each channel or once for all.
    """

    tune: Dataset
    eval: Dataset
    name: str = "your data"
    classes: tuple[str, ...] = ()
    note: str = ""
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def pixels(self, images: Tensor) -> Tensor:
        """Undo the normalization, for showing images.

        Parameters
        ----------
        images : Tensor, shape (..., channels, height, width), floating point
            As `tune` and `eval` hold them.

        Returns
        -------
        Tensor
            The shape of `images`, values in [0, 1].
        """
        mean, std = (
            torch.tensor(v, dtype=images.dtype)[:, None, None] for v in (self.mean, self.std)
        )
        return (images * std + mean).clamp(0, 1)
