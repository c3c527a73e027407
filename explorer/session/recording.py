"""What a network answered while its accuracy was counted, kept for a closer look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from explorer.measure.data import most_samples
from explorer.measure.predictions import Predictions


class Recording:
    """Scores and labels of one evaluation, batch by batch, as far as it got.

    Nothing is kept of data with more samples than `most_samples` allows.

    Parameters
    ----------
    state : mapping of str to object
        What each compressible layer holds meanwhile.
    """

    def __init__(self, state: Mapping[str, Any]) -> None:
        self._state = state
        self._parts: list[tuple[Tensor, Tensor]] | None = []
        self._n = 0

    def add(self, scores: Tensor, labels: Tensor) -> None:
        """Keep a batch: scores of shape (n, n_classes), labels of shape (n,)."""
        self._n += len(labels)
        if self._n > most_samples(scores.shape[1]):
            self._parts = None
        if self._parts is not None:
            self._parts.append((scores.cpu(), labels.cpu()))

    def is_of(self, state: Mapping[str, Any]) -> bool:
        """Whether the layers held these very objects."""
        return self._state.keys() == state.keys() and all(
            held is state[name] for name, held in self._state.items()
        )

    def predictions(self, n: int) -> Predictions | None:
        """Return the predictions; None if they are not kept, or not for `n` samples yet."""
        parts = list(self._parts or ())
        if not parts or sum(len(labels) for _, labels in parts) != n:
            return None
        scores, labels = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        return Predictions.of(scores, labels)
