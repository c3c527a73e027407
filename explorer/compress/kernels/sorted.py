"""The compiled loops over sorted weights: prefix sums, ranks and clustering.

They are compiled when first used, and release the interpreter lock while they run.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def block_prefix_sums(values, block):
    """Sum the values, and their squares, before each block, float64."""
    n_blocks = values.size // block + 1
    sums = np.zeros(n_blocks)
    squares = np.zeros(n_blocks)
    total = 0.0
    total_squares = 0.0
    for b in range(1, n_blocks):
        part = 0.0
        part_squares = 0.0
        for i in range((b - 1) * block, b * block):
            value = np.float64(values[i])
            part += value
            part_squares += value * value
        total += part
        total_squares += part_squares
        sums[b] = total
        squares[b] = total_squares
    return sums, squares


@_compiled
def _sums_below(values, sums, squares, block, rank):
    b = rank // block
    total = sums[b]
    total_squares = squares[b]
    for i in range(b * block, rank):
        value = np.float64(values[i])
        total += value
        total_squares += value * value
    return total, total_squares


@_compiled
def kept_sums_at(values, sums, squares, block, start, stop, ranks):
    """Sum the first `ranks` kept values, and their squares; [start, stop) is left out."""
    out = np.empty(ranks.size)
    out_squares = np.empty(ranks.size)
    low, low_squares = _sums_below(values, sums, squares, block, start)
    high, high_squares = _sums_below(values, sums, squares, block, stop)
    for i in range(ranks.size):
        if ranks[i] <= start:
            out[i], out_squares[i] = _sums_below(values, sums, squares, block, ranks[i])
        else:
            rank = ranks[i] + stop - start
            total, total_squares = _sums_below(values, sums, squares, block, rank)
            out[i] = total - (high - low)
            out_squares[i] = total_squares - (high_squares - low_squares)
    return out, out_squares


@_compiled
def _kept(values, start, gap, rank):
    return values[rank] if rank < start else values[rank + gap]


@_compiled
def _first_above(values, start, gap, n_kept, limit, guess):
    """First kept rank whose value exceeds `limit`, searched outward from `guess`."""
    left = guess
    right = guess
    step = 1
    while left > 0 and _kept(values, start, gap, left - 1) > limit:
        right = left - 1
        left = max(0, left - step)
        step *= 2
    step = 1
    while right < n_kept and _kept(values, start, gap, right) <= limit:
        left = right + 1
        right = min(n_kept, right + step)
        step *= 2
    while left < right:
        middle = (left + right) // 2
        if _kept(values, start, gap, middle) <= limit:
            left = middle + 1
        else:
            right = middle
    return left


@_compiled
def kept_ranks_above(values, start, stop, limits):
    """For each of the ascending `limits`, the kept values that do not exceed it."""
    ranks = np.empty(limits.size, np.int64)
    gap = stop - start
    guess = 0
    for i in range(limits.size):
        guess = _first_above(values, start, gap, values.size - gap, limits[i], guess)
        ranks[i] = guess
    return ranks


@_compiled
def kept_ranks_of_codes(values, start, stop, low, inverse_step, n_steps):
    """For each code from 1 to `n_steps`, the kept values that round to a lower code."""
    gap = stop - start
    ranks = np.empty(n_steps, np.int64)
    left = 0
    for code in range(1, n_steps + 1):
        right = values.size - gap
        while left < right:
            middle = (left + right) // 2
            value = np.float64(_kept(values, start, gap, middle))
            if np.floor((value - low) * inverse_step + 0.5) < code:
                left = middle + 1
            else:
                right = middle
        ranks[code - 1] = left
    return ranks


@_compiled
def distinct_kept(values, start, stop, most):
    """Return the distinct kept values, or none at all where there are more than `most`."""
    gap = stop - start
    n_kept = values.size - gap
    found = np.empty(most, values.dtype)
    count = 0
    rank = 0
    while rank < n_kept:
        if count == most:
            return found[:0]
        found[count] = _kept(values, start, gap, rank)
        rank = _first_above(values, start, gap, n_kept, found[count], rank)
        count += 1
    return found[:count]


@_compiled
def lloyd_sorted(values, sums, squares, block, start, stop, centroids, tolerance, max_iterations):
    """Lloyd's iteration on sorted values, leaving out ranks in [start, stop).

    It ends when no value changes its cluster, or no centroid moves by more than
    `tolerance`. `centroids` (ascending, float64) is overwritten. Returns the limits between
    clusters (float32), the kept rank at which each cluster starts (with the number
    of kept values last), and the number of iterations.
    """
    k = centroids.size
    gap = stop - start
    n_kept = values.size - gap
    limits = np.empty(k - 1, np.float32)
    ranks = np.zeros(k + 1, np.int64)
    ranks[k] = n_kept
    iteration = 0
    moved = True
    while moved and iteration < max_iterations:
        changed = iteration == 0
        for i in range(1, k):
            limits[i - 1] = np.float32(0.5 * (centroids[i - 1] + centroids[i]))
            rank = _first_above(values, start, gap, n_kept, limits[i - 1], ranks[i])
            changed = changed or rank != ranks[i]
            ranks[i] = rank
        moved = changed
        if changed:
            totals, _ = kept_sums_at(values, sums, squares, block, start, stop, ranks)
            shift = 0.0
            for i in range(k):
                if ranks[i + 1] > ranks[i]:
                    mean = (totals[i + 1] - totals[i]) / (ranks[i + 1] - ranks[i])
                    shift = max(shift, abs(mean - centroids[i]))
                    centroids[i] = mean
            moved = shift > tolerance
            iteration += 1
    return limits, ranks, iteration


@_compiled
def lloyd_weighted(points, ranks, sums, centroids, tolerance, max_iterations):
    """Lloyd's iteration on weighted ascending points; `centroids` is overwritten.

    Point i stands for the ``ranks[i + 1] - ranks[i]`` values whose sum is
    ``sums[i + 1] - sums[i]``.
    """
    k = centroids.size
    borders = np.zeros(k + 1, np.int64)
    borders[k] = points.size
    for _ in range(max_iterations):
        changed = False
        for i in range(1, k):
            limit = 0.5 * (centroids[i - 1] + centroids[i])
            border = _first_above(points, 0, 0, points.size, limit, borders[i])
            changed = changed or border != borders[i]
            borders[i] = border
        if not changed:
            return
        shift = 0.0
        for i in range(k):
            count = ranks[borders[i + 1]] - ranks[borders[i]]
            if count > 0:
                mean = (sums[borders[i + 1]] - sums[borders[i]]) / count
                shift = max(shift, abs(mean - centroids[i]))
                centroids[i] = mean
        if shift <= tolerance:
            return


@_compiled
def magnitude_at(values, count):
    """Bit pattern of the `count`-th smallest magnitude of sorted float32 values."""
    bits = np.zeros(1, np.uint32)
    magnitude = bits.view(np.float32)
    low = np.int64(0)
    high = np.int64(0x7F7FFFFF)
    while low < high:
        middle = (low + high) // 2
        bits[0] = np.uint32(middle)
        start = np.searchsorted(values, -magnitude[0], side="left")
        stop = np.searchsorted(values, magnitude[0], side="right")
        if stop - start >= count:
            high = middle
        else:
            low = middle + 1
    return low
