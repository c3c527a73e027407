"""Codings: what becomes of the kept weights, as a function of their value.

A coding maps each kept weight to one of a few levels. Because the map never decreases,
the weights of one level are neighbors in sorted order, and counts, error and
histogram follow from the ranks at which one level ends and the next begins.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from explorer.compress.methods.ordering import Cut, Ordering
from explorer.compress.methods.setting import Setting
from explorer.compress.records.coded import ScalarCoded
from explorer.compress.records.record import Record, keep_zeros


class ScalarQuantizer(ABC):
    """A monotone map from the kept weights of one layer to a few levels.

    `cut`: what earlier steps pruned. `dtype`: type of the weights; levels are rounded to it.
    `makes`: the class of its record.
    """

    makes: ClassVar[type[ScalarCoded]]

    def __init__(self, ordering: Ordering, cut: Cut, dtype: torch.dtype) -> None:
        self.ordering = ordering
        self.cut = cut
        self.dtype = dtype

    @property
    @abstractmethod
    def levels(self) -> np.ndarray:
        """Values that the weights take, ascending, shape (n_levels,), float32."""

    @abstractmethod
    def level_ranks(self) -> np.ndarray:
        """Kept weights below each level but the first, shape (n_levels - 1,), int64."""

    @property
    @abstractmethod
    def meta(self) -> dict[str, Any]:
        """Counts that the file's header needs, as `ScalarCoded.meta`."""

    @abstractmethod
    def write(self, source: np.ndarray, out: np.ndarray, threshold: float) -> None:
        """Write the coded values of a chunk of weights, zero up to `threshold`."""

    @abstractmethod
    def record(self, values: Tensor, mask: Tensor | None) -> Record:
        """Encode `values` where `mask` is True."""

    @cached_property
    def ranks(self) -> np.ndarray:
        """Kept rank at which each level starts, and their number last."""
        n_kept = self.ordering.n - self.cut.n_pruned
        return np.concatenate([[0], self.level_ranks(), [n_kept]]).astype(np.int64)

    @cached_property
    def counts(self) -> np.ndarray:
        """Kept weights at each level, shape (n_levels,), int64."""
        return np.diff(self.ranks) if self.levels.size else np.empty(0, np.int64)

    def squared_error(self) -> float:
        """Sum of squared differences between the kept weights and their levels."""
        if not self.levels.size:
            return 0.0
        sums, squares = self.ordering.kept_sums(self.cut, self.ranks)
        levels = self.levels.astype(np.float64)
        parts = np.diff(squares) - 2 * levels * np.diff(sums) + self.counts * levels**2
        return float(np.maximum(parts, 0).sum())


class ValueSetting(Setting):
    """A step that replaces each kept weight by a level chosen by its value."""

    @abstractmethod
    def quantizer(self, ordering: Ordering, cut: Cut, dtype: torch.dtype) -> ScalarQuantizer:
        """Fit the levels to the kept weights of one tensor."""

    def by_value(self) -> bool:
        """Whether one coding serves the whole tensor."""
        return True

    def first_cut(self, ordering: Ordering) -> Cut:
        """Leave exact zeros out where no earlier step pruned."""
        return ordering.cut_zeros()

    def encode(self, values: Tensor, mask: Tensor | None) -> Record:
        """Compress dense `values`; exact zeros and pruned weights stay zero."""
        ordering = Ordering(as_array(values))
        quantizer = self.quantizer(ordering, ordering.cut_zeros(), values.dtype)
        return quantizer.record(values, keep_zeros(values, mask))


def as_array(values: Tensor) -> np.ndarray:
    """Return the values as a float32 array on the CPU, sharing memory where it can."""
    return values.detach().to(torch.float32).cpu().contiguous().numpy()


def rounded(levels: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """Round levels to what `dtype` can hold, as float32."""
    single = levels.astype(np.float32)
    return single if dtype == torch.float32 else torch.from_numpy(single).to(dtype).float().numpy()


def codes_tensor(codes: np.ndarray, device: torch.device) -> Tensor:
    """Return codes as the smallest integer tensor that holds them."""
    small = codes.astype(np.uint8) if codes.size == 0 or codes.max() < 256 else codes
    return torch.from_numpy(np.ascontiguousarray(small)).to(device)
