"""Batches of labeled samples from whatever a person calls data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset, default_collate


def n_samples(data: Any) -> int:
    """Return how many samples there are; 0 where nothing tells."""
    if isinstance(data, DataLoader):
        return len(data.dataset) if hasattr(data.dataset, "__len__") else 0
    return len(data) if isinstance(data, Dataset) and hasattr(data, "__len__") else 0


def batches(data: Any, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of inputs and labels.

    Parameters
    ----------
    data : Dataset or iterable of batches
        A dataset of pairs (input, class index), or an iterable of batches of such
        pairs, for example a DataLoader.
    batch : int
        Samples a batch, where `data` is a dataset.

    Yields
    ------
    tuple of Tensor
        Inputs of shape (n, ...) and labels of shape (n,).

    Raises
    ------
    TypeError
        If `data` is neither, or holds something that is no pair.
    """
    check_data(data)
    if isinstance(data, TensorDataset) and len(data.tensors) == 2:
        inputs, labels = data.tensors
        for i in range(0, len(inputs), batch):
            yield inputs[i : i + batch], labels[i : i + batch]
    elif isinstance(data, Dataset) and hasattr(data, "__len__"):
        for i in range(0, len(data), batch):
            samples = [data[j] for j in range(i, min(i + batch, len(data)))]
            yield _pair(default_collate(samples))
    else:
        for item in data:
            yield _pair(item)


def check_data(data: Any) -> None:
    """Raise TypeError unless `data` is a dataset or an iterable, whatever it holds."""
    if not isinstance(data, Iterable) and not (
        isinstance(data, Dataset) and hasattr(data, "__len__")
    ):
        parts = ". Give one of its parts, such as data.eval" if hasattr(data, "eval") else ""
        raise TypeError(
            "data: expected a Dataset of pairs (input, class index) or a DataLoader; "
            f"got {type(data).__name__}{parts}"
        )


def _pair(item: Any) -> tuple[Tensor, Tensor]:
    if not isinstance(item, (list, tuple)) or len(item) != 2:
        raise TypeError(
            f"data: expected pairs (input, class index); got {type(item).__name__}"
            + (f" of {len(item)} parts" if isinstance(item, (list, tuple)) else "")
            + ". Put two tensors together with torch.utils.data.TensorDataset(inputs, labels)"
        )
    inputs, labels = item
    return inputs, torch.as_tensor(labels)
