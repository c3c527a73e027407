"""Labelled samples to train on, taken by number; tensors are indexed directly."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset, default_collate


class Samples:
    """Samples of a data set by number.

    Parameters
    ----------
    data : Data, Dataset or pair of Tensor
        A data set of pairs (input, class index) with a length; a pair of tensors, inputs
        (n, ...) and labels (n,); or a `Data`, of which ``tune`` is used.

    Attributes
    ----------
    n : int
        Samples there are.
    labels : Tensor or None
        All labels, where the data are tensors.

    Raises
    ------
    TypeError
        If `data` is none of these.
    ValueError
        If it is empty, its two parts differ in length, or it holds NaN or infinite inputs.
    """

    def __init__(self, data: Any) -> None:
        data = getattr(data, "tune", data)
        self._dataset: Any = None
        self._inputs: Tensor | None = None
        self.labels: Tensor | None = None
        if isinstance(data, TensorDataset) and len(data.tensors) == 2:
            data = data.tensors
        if _is_pair(data):
            self._inputs, self.labels = data
            _check_tensors(self._inputs, self.labels)
            self.n = len(self.labels)
        elif isinstance(data, Dataset) and hasattr(data, "__len__"):
            self._dataset, self.n = data, len(data)
        else:
            cure = "; pass its dataset" if isinstance(data, DataLoader) else ""
            raise TypeError(
                "data: expected a Dataset of pairs (input, class index) that has a length, or "
                f"a pair of tensors; got {type(data).__name__}{cure}"
            )
        if self.n == 0:
            raise ValueError("data: expected at least one labeled sample, got none")

    def take(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the chosen inputs (n_chosen, ...) and labels (n_chosen,)."""
        if self._inputs is not None and self.labels is not None:
            return self._inputs[chosen], self.labels[chosen]
        batch = default_collate([self._dataset[i] for i in chosen.tolist()])
        if not isinstance(batch, (list, tuple)) or len(batch) != 2:
            raise TypeError(
                f"data: expected pairs (input, class index); got {type(batch).__name__}"
            )
        return batch[0], torch.as_tensor(batch[1])


def _is_pair(data: Any) -> bool:
    return (
        isinstance(data, (list, tuple))
        and len(data) == 2
        and all(isinstance(part, Tensor) for part in data)
    )


def _check_tensors(inputs: Tensor, labels: Tensor) -> None:
    if inputs.ndim < 1 or labels.ndim != 1 or len(inputs) != len(labels):
        raise ValueError(
            "data: expected inputs of shape (n, ...) and labels of shape (n,); got "
            f"{tuple(inputs.shape)} and {tuple(labels.shape)}"
        )
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise TypeError(f"data: labels must be class numbers (integers); got {labels.dtype}")
    total_is_finite = bool(torch.isfinite(inputs.sum()))
    if not total_is_finite and not bool(torch.isfinite(inputs).all()):
        bad = int((~torch.isfinite(inputs)).flatten(1).any(1).sum())
        raise ValueError(
            f"data: {bad} of {len(inputs)} inputs hold NaN or infinite values; leave them out"
        )


def check_scores(scores: Tensor, labels: Tensor) -> None:
    """Raise ValueError unless scores are of shape (n, n_classes) and labels are such classes."""
    if scores.ndim != 2:
        raise ValueError(
            "net: expected scores of shape (n, n_classes) for a batch; got shape "
            f"{tuple(scores.shape)}"
        )
    low, high = int(labels.min()), int(labels.max())
    if not 0 <= low <= high < scores.shape[1]:
        raise ValueError(
            f"data: labels must be from 0 to {scores.shape[1] - 1}, one for each of the "
            f"network's outputs; got {low} to {high}"
        )


def shifted(images: Tensor, max_shift: int, generator: torch.Generator) -> Tensor:
    """Move each image by a random number of pixels along both axes.

    Parameters
    ----------
    images : Tensor, shape (n, ..., height, width)
    max_shift : int
        Most pixels either way; what moves in repeats the border.
    generator : torch.Generator

    Returns
    -------
    Tensor
        Shape of `images`.
    """
    if images.ndim < 3:
        raise ValueError(
            "settings: max_shift is for images of shape (n, ..., height, width); got inputs of "
            f"shape {tuple(images.shape)}: set max_shift=0"
        )
    n, height, width = len(images), *images.shape[-2:]
    moves = torch.randint(-max_shift, max_shift + 1, (2, n, 1), generator=generator)
    rows = (torch.arange(height) + moves[0]).clamp_(0, height - 1)
    columns = (torch.arange(width) + moves[1]).clamp_(0, width - 1)
    places = (rows[:, :, None] * width + columns[:, None, :]).flatten(1).to(images.device)
    flat = images.reshape(n, -1, height * width)
    return flat.gather(2, places[:, None].expand(flat.shape)).reshape(images.shape)
