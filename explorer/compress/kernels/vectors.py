"""The fused loops of k-means of vectors; compiled when first used, without the interpreter lock.

The points of a set lie in columns, shape (width, n_points), and the innermost loop runs
over a chunk of them: short vectors then take no longer a number than long ones.
"""

from __future__ import annotations

import numpy as np
from numba import njit

CHUNK = 256

_compiled = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
_summed = njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "nsz"})


@_compiled
def _add_distances(columns, centroid, start, stop, out):
    """Write squared distances from `centroid` to points [start, stop) into `out`."""
    n = stop - start
    for i in range(n):
        out[i] = 0
    d = 0
    while d + 4 <= centroid.size:
        c0, c1, c2, c3 = centroid[d], centroid[d + 1], centroid[d + 2], centroid[d + 3]
        x0, x1 = columns[d, start:stop], columns[d + 1, start:stop]
        x2, x3 = columns[d + 2, start:stop], columns[d + 3, start:stop]
        for i in range(n):
            a0, a1, a2, a3 = x0[i] - c0, x1[i] - c1, x2[i] - c2, x3[i] - c3
            out[i] += (a0 * a0 + a1 * a1) + (a2 * a2 + a3 * a3)
        d += 4
    while d < centroid.size:
        c0 = centroid[d]
        x0 = columns[d, start:stop]
        for i in range(n):
            a0 = x0[i] - c0
            out[i] += a0 * a0
        d += 1


@_compiled
def assign_chunks(columns, centroids, codes, distances, moving, start, stop):
    """Find the nearest centroid for chunks [start, stop) of the points of all sets."""
    n_points = columns.shape[2]
    n_chunks = -(-n_points // CHUNK)
    found = np.empty(CHUNK, np.float32)
    for item in range(start, stop):
        b = item // n_chunks
        if not moving[b]:
            continue
        first = item % n_chunks * CHUNK
        last = min(first + CHUNK, n_points)
        best, code = distances[b, first:last], codes[b, first:last]
        _add_distances(columns[b], centroids[b, 0], first, last, best)
        code[:] = 0
        for j in range(1, centroids.shape[1]):
            _add_distances(columns[b], centroids[b, j], first, last, found)
            for i in range(last - first):
                nearer = found[i] < best[i]
                best[i] = found[i] if nearer else best[i]
                code[i] = j if nearer else code[i]


@_compiled
def update_sets(points, centroids, codes, distances, errors, moving, tolerance, start, stop):
    """Move centroids to the means of their points; a set that hardly gained stops moving."""
    k, width = centroids.shape[1:]
    sums = np.empty((k, width))
    counts = np.empty(k, np.int64)
    for b in range(start, stop):
        if not moving[b]:
            continue
        error = distances[b].astype(np.float64).sum()
        if errors[b] - error <= tolerance * error:
            moving[b] = False
        errors[b] = error
        sums[:] = 0
        counts[:] = 0
        for i in range(points.shape[1]):
            counts[codes[b, i]] += 1
            total = sums[codes[b, i]]
            for d in range(width):
                total[d] += points[b, i, d]
        for j in range(k):
            if counts[j] > 0:
                for d in range(width):
                    centroids[b, j, d] = sums[j, d] / counts[j]
            else:
                farthest = distances[b].argmax()
                centroids[b, j] = points[b, farthest]
                distances[b, farthest] = 0


@_summed
def _sum(values):
    total = np.float32(0)
    for i in range(values.size):
        total += values[i]
    return total


@_compiled
def seed_sets(columns, draws, centroids, start, stop):
    """Choose points as first centroids, each with odds that grow with the squared distance.

    Of as many candidates as ``draws.shape[2]`` the one that leaves the smallest sum of
    squared distances is taken.
    """
    n_points = columns.shape[2]
    nearest, trial, best = np.empty((3, n_points), np.float32)
    totals, trial_totals, best_totals = np.empty((3, -(-n_points // CHUNK)))
    for b in range(start, stop):
        nearest[:] = np.inf
        totals[:] = 1
        for j in range(centroids.shape[1]):
            least = np.inf
            for draw in draws[b, j]:
                choice = int(draw * n_points) if j == 0 else _draw(nearest, totals, draw)
                _try(columns[b], choice, nearest, trial, trial_totals)
                total = trial_totals.sum()
                if total < least:
                    least = total
                    centroids[b, j] = columns[b, :, choice]
                    trial, best = best, trial
                    trial_totals, best_totals = best_totals, trial_totals
            nearest, best = best, nearest
            totals, best_totals = best_totals, totals


@_compiled
def _try(columns, choice, nearest, trial, totals):
    """Write the squared distances there were with one more centroid, and their sums by chunk."""
    centroid = columns[:, choice].copy()
    for chunk in range(totals.size):
        first = chunk * CHUNK
        last = min(first + CHUNK, nearest.size)
        part = trial[first:last]
        _add_distances(columns, centroid, first, last, part)
        before = nearest[first:last]
        for i in range(last - first):
            part[i] = part[i] if part[i] < before[i] else before[i]
        totals[chunk] = _sum(part)


@_compiled
def _draw(weights, totals, draw):
    """Choose a number in proportion to its weight, never one of weight 0 where others are."""
    left = draw * totals.sum()
    choice = 0
    for chunk in range(totals.size):
        if left >= totals[chunk] and chunk < totals.size - 1:
            left -= totals[chunk]
            continue
        for i in range(chunk * CHUNK, weights.size):
            if weights[i] > 0:
                choice = i
                left -= weights[i]
                if left < 0:
                    return choice
    return choice


@_compiled
def nearest_of_scores(scores, norms, codes, distances, offset, start, stop):
    """Find the smallest score for chunks [start, stop) of the points of all sets.

    ``scores[b, j, i]`` is half the squared norm of centroid j less its product with point
    ``offset + i``; with the squared norm of the point it gives their squared distance.
    """
    n_points = scores.shape[2]
    n_chunks = -(-n_points // CHUNK)
    best = np.empty(CHUNK, np.float32)
    for item in range(start, stop):
        b = item // n_chunks
        first = item % n_chunks * CHUNK
        last = min(first + CHUNK, n_points)
        code = codes[b, offset + first : offset + last]
        found = scores[b, 0, first:last]
        for i in range(last - first):
            best[i] = found[i]
            code[i] = 0
        for j in range(1, scores.shape[1]):
            found = scores[b, j, first:last]
            for i in range(last - first):
                nearer = found[i] < best[i]
                best[i] = found[i] if nearer else best[i]
                code[i] = j if nearer else code[i]
        for i in range(last - first):
            at = offset + first + i
            distances[b, at] = max(np.float32(0), norms[b, at] + 2 * best[i])
