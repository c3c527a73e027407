"""Compiled loops that write compressed weights, in one pass over a chunk of a layer."""

from __future__ import annotations

import numpy as np
from numba import njit

_compiled = njit(nogil=True, cache=True, error_model="numpy")


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
