"""The index that makes one-dimensional compression instant.

A layer's weights are sorted once. Pruning, sharing and uniform quantization act on
a weight by its value alone, so each of them cuts the sorted weights into contiguous
runs: how many weights a run holds, their sum and their sum of squares follow from
binary searches and prefix sums, whatever the number of weights. Prefix sums are kept
once a block of 128 weights, so that the index takes little more memory than the
sorted weights themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

BLOCK = 128
N_BINS = 64


@dataclass(frozen=True)
class Cut:
    """The weights that pruning removes: a contiguous run of the sorted weights.

    `start`, `stop`: ranks ``start <= r < stop`` of the sorted weights are removed. `threshold`:
    largest magnitude removed; every smaller magnitude is removed as well. Negative where nothing
    is. `keep_negative`, `keep_positive`: weights of exactly ``-threshold`` and ``+threshold`` that
    are kept all the same, the last ones in row-major order, so that the count is exact.
    """

    start: int
    stop: int
    threshold: float
    keep_negative: int = 0
    keep_positive: int = 0

    @classmethod
    def nothing(cls) -> Cut:
        """Remove no weight, not even zeros."""
        return cls(0, 0, -1.0)

    @property
    def n_pruned(self) -> int:
        """Number of weights removed."""
        return self.stop - self.start

    @property
    def splits_ties(self) -> bool:
        """Whether some weights of the threshold's magnitude are kept."""
        return self.keep_negative > 0 or self.keep_positive > 0


class Ordering:
    """Sorted weights with block prefix sums.

    `weight`: any shape, float32; finite; left unchanged. `values`: shape (n,), float32; sorted,
    smallest first. `n`: number of weights.
    """

    def __init__(self, weight: np.ndarray) -> None:
        self.values = np.sort(weight, axis=None)
        self.n = self.values.size

    @cached_property
    def block_sums(self) -> tuple[np.ndarray, np.ndarray]:
        """Sum and sum of squares of all weights before each block, float64."""
        from explorer.compress.kernels.sorted import block_prefix_sums

        return block_prefix_sums(self.values, BLOCK)

    @cached_property
    def zeros(self) -> tuple[int, int]:
        """Ranks of the first exact zero and of the first positive weight."""
        return (
            int(np.searchsorted(self.values, np.float32(0), "left")),
            int(np.searchsorted(self.values, np.float32(0), "right")),
        )

    @cached_property
    def edges(self) -> np.ndarray:
        """Edges of `N_BINS` equal bins that span the weights, float64."""
        low, high = float(self.values[0]), float(self.values[-1])
        if low == high:
            margin = abs(low) / 2 or 0.5
            low, high = low - margin, high + margin
        return np.linspace(low, high, N_BINS + 1)

    @cached_property
    def edge_ranks(self) -> np.ndarray:
        """Rank of the first weight in each bin; the last bin includes its upper edge."""
        ranks = np.searchsorted(self.values, least_single(self.edges), "left")
        ranks[-1] = self.n
        return ranks

    def kept_sums(self, cut: Cut, ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sum and sum of squares of the smallest kept weights.

        `cut`: what is left out. `ranks`: shape (m,), int64; how many kept weights to sum, each in
        [0, n - cut.n_pruned]. Returns: shape (m,), float64.
        """
        from explorer.compress.kernels.sorted import kept_sums_at

        return kept_sums_at(self.values, *self.block_sums, BLOCK, cut.start, cut.stop, ranks)

    @cached_property
    def squared_norm(self) -> float:
        """Sum of the squares of all weights."""
        return float(self.kept_sums(Cut.nothing(), np.array([self.n]))[1][0])

    def cut_zeros(self) -> Cut:
        """Remove the exact zeros only."""
        return Cut(*self.zeros, 0.0)

    def count_within(self, magnitude: np.float32) -> int:
        """Count the weights with ``|w| <= magnitude``."""
        start, stop = self._span(magnitude)
        return stop - start

    def _span(self, magnitude: np.float32) -> tuple[int, int]:
        start = int(np.searchsorted(self.values, -magnitude, "left"))
        return start, max(start, int(np.searchsorted(self.values, magnitude, "right")))

    def _magnitude_at(self, count: int) -> np.float32:
        from explorer.compress.kernels.sorted import magnitude_at

        return np.uint32(magnitude_at(self.values, count)).view(np.float32)

    def cut_below(self, threshold: float) -> Cut:
        """Remove every weight with ``|w| < threshold``, and exact zeros."""
        with np.errstate(over="ignore"):
            limit = np.float32(threshold)
        if float(limit) >= threshold:
            limit = np.nextafter(limit, np.float32(0))
        limit = max(limit, np.float32(0))
        return Cut(*self._span(limit), float(limit))

    def cut_smallest(self, count: int) -> Cut:
        """Remove exactly `count` weights of smallest magnitude, and exact zeros.

        Ties at the threshold go in this order: negative before positive weights,
        then row-major.
        """
        if count <= self.zeros[1] - self.zeros[0]:
            return self.cut_zeros()
        limit = self._magnitude_at(count)
        start, stop = self._span(limit)
        if stop - start == count:
            return Cut(start, stop, float(limit))
        first_positive = int(np.searchsorted(self.values, limit, "left"))
        last_negative = int(np.searchsorted(self.values, -limit, "right"))
        surplus = stop - start - count
        keep_positive = min(surplus, stop - first_positive)
        keep_negative = min(surplus - keep_positive, last_negative - start)
        return Cut(
            start + keep_negative, stop - keep_positive, float(limit), keep_negative, keep_positive
        )


def least_single(values: np.ndarray) -> np.ndarray:
    """Return the least float32 at or above each float64.

    Searching sorted float32 weights for it finds the same rank without converting
    all of them.
    """
    single = values.astype(np.float32)
    return np.where(single < values, np.nextafter(single, np.float32(np.inf)), single)


def magnitude_of_rank(orderings: tuple[Ordering, ...], count: int) -> np.float32:
    """Return the `count`-th smallest magnitude among all weights of several orderings.

    Found by bisection over the bit patterns of nonnegative float32 numbers, whose
    order is that of the numbers themselves: 31 steps of two binary searches each.
    """
    low, high = np.uint32(0), np.float32(np.finfo(np.float32).max).view(np.uint32)
    while low < high:
        middle = np.uint32((int(low) + int(high)) // 2)
        if sum(o.count_within(middle.view(np.float32)) for o in orderings) >= count:
            high = middle
        else:
            low = np.uint32(middle + 1)
    return low.view(np.float32)
