"""The fused loops: prefix sums, clustering of sorted weights, and rewriting into kept buffers.

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


@_compiled
def shrink_into(source, out, threshold):
    """Copy `source` with magnitudes up to `threshold` zeroed."""
    for i in range(source.size):
        out[i] = source[i] if abs(source[i]) > threshold else np.float32(0)


@_compiled
def shrink_and_find(source, out, threshold, positions):
    """Do as `shrink_into` and as `find_magnitude` in one pass over memory.

    `threshold` is given as the bit pattern of the float32: among magnitudes, the order
    of the patterns is that of the numbers, and integers make the faster loop.
    """
    bits = source.view(np.uint32)
    out_bits = out.view(np.uint32)
    limit = np.uint32(threshold)
    found = 0
    for start in range(0, source.size, 4096):
        stop = min(start + 4096, source.size)
        equal = np.uint32(0)
        for i in range(start, stop):
            magnitude = np.uint32(bits[i] & np.uint32(0x7FFFFFFF))
            out_bits[i] = bits[i] if magnitude > limit else np.uint32(0)
            equal = np.uint32(equal + np.uint32(magnitude == limit))
        if equal > 0:
            for i in range(start, stop):
                if np.uint32(bits[i] & np.uint32(0x7FFFFFFF)) == limit:
                    if found < positions.size:
                        positions[found] = i
                    found += 1
    return found


@_compiled
def find_magnitude(source, magnitude, positions):
    """Note where ``|w| == magnitude``, in order; positions beyond the buffer are counted only."""
    found = 0
    for start in range(0, source.size, 4096):
        stop = min(start + 4096, source.size)
        equal = 0
        for i in range(start, stop):
            equal += abs(source[i]) == magnitude
        if equal > 0:
            for i in range(start, stop):
                if abs(source[i]) == magnitude:
                    if found < positions.size:
                        positions[found] = i
                    found += 1
    return found


@_compiled
def tabulate_runs(limits, table):
    """Fill ``table[h]`` with the run of every float32 whose high half is h.

    Where more than one run is possible, with ``-1 - r``, r the lowest of them.
    Infinities and NaN are left as they are.
    """
    bits = np.empty(2, np.uint32)
    ends = bits.view(np.float32)
    run = 0
    for step in range(2 * 0x7F80):
        negative = step < 0x7F80
        half = 0xFF7F - step if negative else step - 0x7F80
        bits[0] = np.uint32(half << 16) | (np.uint32(0xFFFF) if negative else np.uint32(0))
        bits[1] = np.uint32(half << 16) | (np.uint32(0) if negative else np.uint32(0xFFFF))
        while run < limits.size and limits[run] < ends[0]:
            run += 1
        last = run
        while last < limits.size and limits[last] < ends[1]:
            last += 1
        table[half] = run if last == run else -1 - run


@_compiled
def levels_into(source, out, table, limits, levels):
    """Replace each value by the level of its run, looked up by its high 16 bits.

    ``table[h]`` is the run of every float32 whose high half is h, or ``-1 - r`` where
    more than one run is possible, r the lowest of them.
    """
    bits = source.view(np.uint32)
    for i in range(source.size):
        run = table[bits[i] >> 16]
        if run < 0:
            run = -1 - run
            while run < limits.size and source[i] > limits[run]:
                run += 1
        out[i] = levels[run]


@_compiled
def quantize_into(source, out, low, inverse_step, step, n_steps, threshold):
    """Round each value to the nearest of ``n_steps + 1`` even levels from `low` up.

    Magnitudes up to `threshold` become zero; a negative threshold keeps them all.
    """
    for i in range(source.size):
        code = np.floor((np.float64(source[i]) - low) * inverse_step + 0.5)
        code = min(max(code, 0.0), n_steps)
        value = np.float32(low + step * code)
        out[i] = value if abs(source[i]) > threshold else np.float32(0)


@_compiled
def sign_into(source, out, scale, threshold):
    """Replace each value by `scale` where it is at least 0, else by its negative.

    Magnitudes up to `threshold` become zero; a negative threshold keeps them all.
    """
    for i in range(source.size):
        value = scale if source[i] >= 0 else -scale
        out[i] = value if abs(source[i]) > threshold else np.float32(0)
