"""Labelled samples to train on, taken by number; tensors are indexed directly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset, default_collate

from explorer.compress.networks.forward import Inputs, rows, tensors_of
from explorer.measure.data import HeldSamples, collated, hold, is_indexed, is_pair, labeled
from explorer.measure.labels import check_classes, class_numbers

MOST_HELD = 2**31
MOST_HELD_BYTES = 1_000_000_000


class Samples:
    """Samples of a data set by number.

    `data`: a data set of samples with a length; a pair of tensors, inputs (n, ...) and labels (n,);
    or a `Data`, of which ``tune`` is used. Of a loader that only puts samples together its data set
    is used; other streams are read once and held, 1 GB of inputs at most. `n`: samples there are.
    `labels`: all labels, int64, where the data are tensors. Raises TypeError if `data` is none of
    these, or labels are no integers. Raises ValueError if it is empty, too large to be held, its
    two parts differ in length, or it holds NaN or infinite inputs.
    """

    def __init__(self, data: Any) -> None:
        data = _indexed(getattr(data, "tune", data))
        self._dataset: Any = None
        self._inputs: Inputs | None = None
        self.labels: Tensor | None = None
        if isinstance(data, HeldSamples):
            self._inputs, self.labels = data.inputs, data.labels
        elif is_pair(data):
            self.labels = class_numbers(data[1])
            self._inputs = data[0]
            _check_lengths(data[0], self.labels)
        else:
            self._dataset = data
        self.n = len(data) if self.labels is None else len(self.labels)
        if self._inputs is not None:
            for tensor in tensors_of(self._inputs):
                _check_finite(tensor)
        if self.n == 0:
            raise ValueError("data: expected at least one labeled sample, got none")
        if self._dataset is not None:
            self.take(torch.zeros(1, dtype=torch.int64))

    def take(self, chosen: Tensor) -> tuple[Inputs, Tensor]:
        """Return copies of the chosen inputs (n_chosen, ...) and labels (n_chosen,), int64."""
        if self._inputs is not None and self.labels is not None:
            return rows(self._inputs, chosen), self.labels[chosen]
        batch = collated(self._dataset[i] for i in chosen.tolist())
        return labeled(batch, int(chosen[0]) if len(chosen) else 0)


def _indexed(data: Any) -> Any:
    """Return data whose samples have numbers: a dataset, a pair of tensors, or held samples."""
    if isinstance(data, DataLoader) and data.collate_fn is default_collate:
        data = data.dataset
    if isinstance(data, TensorDataset) and len(data.tensors) == 2:
        return data.tensors
    if is_pair(data) or is_indexed(data):
        return data
    if isinstance(data, (str, bytes, Mapping)) or not isinstance(data, Iterable):
        raise TypeError(
            "data: expected a Dataset of pairs (input, class index) that has a length, a pair of "
            f"tensors, or a DataLoader; got {type(data).__name__}"
        )
    held = hold(data, MOST_HELD, MOST_HELD_BYTES, lambda: False)
    samples, whole = held if held is not None else (None, False)
    if not whole:
        raise ValueError(
            f"data: a stream of more than {MOST_HELD_BYTES // 10**9} GB cannot be held to take "
            "samples by number; give a Dataset that has a length"
        )
    return samples


def _check_lengths(inputs: Tensor, labels: Tensor) -> None:
    if inputs.ndim < 1 or len(inputs) != len(labels):
        raise ValueError(
            "data: expected inputs of shape (n, ...) and labels of shape (n,); got "
            f"{tuple(inputs.shape)} and {tuple(labels.shape)}"
        )


def _check_finite(inputs: Tensor) -> None:
    if not inputs.is_floating_point() or bool(torch.isfinite(inputs.sum())):
        return
    wrong = (~torch.isfinite(inputs)).flatten(1).any(1)
    if bool(wrong.any()):
        raise ValueError(
            f"data: {int(wrong.sum())} of {len(inputs)} inputs hold NaN or infinite values, first "
            f"sample {int(wrong.nonzero()[0])}; leave them out"
        )


def check_scores(scores: Tensor, labels: Tensor) -> None:
    """Raise ValueError unless scores are of shape (n, n_classes) and labels are such classes."""
    if scores.ndim != 2:
        raise ValueError(
            "net: expected scores of shape (n, n_classes) for a batch; got shape "
            f"{tuple(scores.shape)}"
        )
    check_classes(labels, scores.shape[1])


def shifted(images: Tensor, max_shift: int, generator: torch.Generator) -> Tensor:
    """Move each image by a random number of pixels along both axes.

    `images`: shape (n, ..., height, width). `max_shift`: most pixels either way; what moves in
    repeats the border. Returns: shape of `images`.
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
