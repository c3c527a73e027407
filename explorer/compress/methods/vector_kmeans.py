"""k-means of vectors cut from a matrix (Lloyd's algorithm with k-means++)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import frexp

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from explorer.compress.kernels.threads import over_chunks


def cut_strips(matrix: Tensor, n_strips: int) -> Tensor:
    """Cut the columns of a matrix into strips, the wider ones first.

    `matrix`: shape (m, n). `n_strips`: from 1 to n. Returns: shape (n_strips, m, ceil(n /
    n_strips)); where strips are narrower by one, their last column is zero.
    """
    m, n = matrix.shape
    width, n_wide = -(-n // n_strips), n % n_strips
    if not n_wide:
        return matrix.reshape(m, n_strips, width).transpose(0, 1)
    wide = matrix[:, : n_wide * width].reshape(m, n_wide, width)
    narrow = matrix[:, n_wide * width :].reshape(m, n_strips - n_wide, width - 1)
    return torch.cat([wide, pad(narrow, (0, 1))], 1).transpose(0, 1)


def join_strips(strips: Tensor, n_columns: int) -> Tensor:
    """Put strips together again: the inverse of `cut_strips`.

    `strips`: shape (n_strips, m, width). Returns: shape (m, n_columns).
    """
    n_strips, m, width = strips.shape
    n_wide, rows = n_columns % n_strips, strips.transpose(0, 1)
    if not n_wide:
        return rows.reshape(m, n_columns)
    wide, narrow = rows[:, :n_wide], rows[:, n_wide:, : width - 1]
    return torch.cat([wide.reshape(m, n_wide * width), narrow.flatten(1)], 1)


MAX_ITERATIONS = 25
TOLERANCE = 5e-4
SEED = 0
WIDE = 48
MAX_SCORES = 1 << 22
SEED_WORK = 1 << 24
N_CANDIDATES = 3


@dataclass(frozen=True, eq=False)
class VectorClusters:
    """Clusters of several sets of vectors.

    `codes`: shape (n_sets, n_vectors), uint8 or int16; number of each vector's centroid, the
    nearest one. `centroids`: shape (n_sets, k, width), type of the vectors; those that some vector
    uses, then zeros where a set uses fewer than another.
    """

    codes: Tensor
    centroids: Tensor

    def decode(self) -> Tensor:
        """Return each vector's centroid, shape (n_sets, n_vectors, width)."""
        return look_up(self.codes, self.centroids)


def look_up(codes: Tensor, centroids: Tensor) -> Tensor:
    """Return the centroids that the codes number.

    `codes`: shape (n_sets, n_vectors), integer. `centroids`: shape (n_sets, k, width). Returns:
    shape (n_sets, n_vectors, width).
    """
    n_sets, k, width = centroids.shape
    first = k * torch.arange(n_sets, device=codes.device)[:, None]
    rows = (codes + first).flatten()
    return centroids.reshape(-1, width).index_select(0, rows).reshape(*codes.shape, width)


def cluster_vectors(vectors: Tensor, n_centroids: int) -> VectorClusters:
    """Find centroids of each set of vectors with a small sum of squared distances.

    The same vectors give the same clusters at every call, on any number of threads.

    `vectors`: shape (n_sets, n_vectors, width), floating point, finite; not empty. `n_centroids`:
    at most; as many are returned as are used in the set that uses most. With at least as many as
    there are vectors, each vector is kept exactly.
    """
    values = vectors.detach().cpu().float().contiguous()
    _, exponent = frexp(float(torch.stack(values.aminmax()).abs().max()))
    points = _scaled(values, -exponent)
    _, n_vectors, width = points.shape
    kind = _WideSets if width >= WIDE and n_centroids < n_vectors else _Sets
    sets = kind(points.numpy(), min(n_centroids, n_vectors))
    centroids = _scaled(torch.from_numpy(sets.fit()), exponent).to(vectors.dtype)
    codes = sets.codes_for(_scaled(centroids.float(), -exponent).numpy())
    return _without_unused(torch.from_numpy(codes).long(), centroids, vectors.device)


def _scaled(values: Tensor, exponent: int) -> Tensor:
    """Return values times a power of two, which itself may be beyond float32."""
    half = exponent // 2
    return values * 2.0**half * 2.0 ** (exponent - half)


def _without_unused(codes: Tensor, centroids: Tensor, device: torch.device) -> VectorClusters:
    n_sets, k, width = centroids.shape
    used = torch.zeros(n_sets, k, dtype=torch.bool).scatter_(1, codes, True)
    most = int(used.sum(1).max())
    if not bool(used.all()):
        order = torch.argsort(~used, dim=1, stable=True)[:, :most]
        codes = (torch.cumsum(used, 1) - 1).gather(1, codes)
        kept = centroids.gather(1, order[:, :, None].expand(n_sets, most, width))
        centroids = torch.where(used.gather(1, order)[:, :, None], kept, 0)
    small = codes.to(torch.uint8 if most <= 256 else torch.int16)
    return VectorClusters(small.to(device), centroids.contiguous().to(device))


class _Sets:
    """Sets of points with the buffers of the iteration.

    `points`: shape (n_sets, n_points, width), float32; at most 1 in magnitude, so that no square
    overflows. `n_centroids`: at most n_points.
    """

    def __init__(self, points: np.ndarray, n_centroids: int) -> None:
        n_sets, n_points, width = points.shape
        self.points = points
        self.columns = np.ascontiguousarray(points.transpose(0, 2, 1))
        self.centroids = np.empty((n_sets, n_centroids, width), np.float32)
        self.codes = np.zeros((n_sets, n_points), np.int16)
        self.distances = np.empty((n_sets, n_points), np.float32)
        self.errors = np.full(n_sets, np.inf)
        self.moving = np.ones(n_sets, np.bool_)

    def fit(self) -> np.ndarray:
        """Return the centroids, shape (n_sets, n_centroids, width)."""
        self._seed()
        n_iterations = MAX_ITERATIONS if self.centroids.shape[1] < self.points.shape[1] else 0
        for _ in range(n_iterations):
            self._assign()
            self._update()
            if not self.moving.any():
                break
        return self.centroids

    def codes_for(self, centroids: np.ndarray) -> np.ndarray:
        """Return the number of each point's nearest centroid, shape (n_sets, n_points)."""
        self.centroids = np.ascontiguousarray(centroids)
        self.moving[:] = True
        self._assign()
        return self.codes

    def _seed(self) -> None:
        self._seed_among(self.columns)

    def _seed_among(self, columns: np.ndarray) -> None:
        from explorer.compress.kernels.vectors import seed_sets

        k = self.centroids.shape[1]
        n_candidates = N_CANDIDATES if columns.size * k <= 2 * SEED_WORK else 1
        draws = np.random.default_rng(SEED).random((*self.centroids.shape[:2], n_candidates))
        work = columns[0].size * k * n_candidates
        args = (columns, draws, self.centroids)
        _side_by_side(len(self.points), work, partial(seed_sets, *args))

    def _assign(self) -> None:
        from explorer.compress.kernels.vectors import CHUNK, assign_chunks

        n_sets, n_points, width = self.points.shape
        n_chunks = -(-n_points // CHUNK)
        work = min(n_points, CHUNK) * width * self.centroids.shape[1]
        args = (self.columns, self.centroids, self.codes, self.distances, self.moving)
        _side_by_side(n_sets * n_chunks, work, partial(assign_chunks, *args))

    def _update(self) -> None:
        from explorer.compress.kernels.vectors import update_sets

        state = (self.codes, self.distances, self.errors, self.moving, TOLERANCE)
        args = (self.points, self.centroids, *state)
        _side_by_side(len(self.points), self.points[0].size, partial(update_sets, *args))


class _WideSets(_Sets):
    """Sets of long vectors: distances by matrix products, first centroids from a part."""

    def __init__(self, points: np.ndarray, n_centroids: int) -> None:
        super().__init__(points, n_centroids)
        self.middle = points.mean(1, keepdims=True)
        self.centered = torch.from_numpy(self.columns - self.middle.transpose(0, 2, 1))
        self.norms = self.centered.square().sum(1).numpy()

    def _seed(self) -> None:
        n_sets, k, width = self.centroids.shape
        n_seeds = max(4 * k, SEED_WORK // (n_sets * k * width))
        step = max(1, self.points.shape[1] // n_seeds)
        self._seed_among(np.ascontiguousarray(self.columns[:, :, ::step]))

    def _assign(self) -> None:
        from explorer.compress.kernels.vectors import CHUNK, nearest_of_scores

        n_sets, k, _ = self.centroids.shape
        centroids = torch.from_numpy(self.centroids - self.middle)
        halves = centroids.square().sum(2, keepdim=True) / 2
        step = max(CHUNK, MAX_SCORES // (n_sets * k) // CHUNK * CHUNK)
        for first in range(0, self.points.shape[1], step):
            part = self.centered[:, :, first : first + step]
            scores = torch.baddbmm(halves, centroids, part, alpha=-1).numpy()
            n_items = n_sets * -(-part.shape[2] // CHUNK)
            args = (scores, self.norms, self.codes, self.distances, first)
            _side_by_side(n_items, 8 * CHUNK * k, partial(nearest_of_scores, *args))


def _side_by_side(n_items: int, work: int, run: Callable[[int, int], None]) -> None:
    """Call ``run(start, stop)`` on parts of the items; `work` multiplications an item."""
    cost = max(1, work // 8)
    over_chunks(n_items * cost, lambda part: run(part.start // cost, part.stop // cost))
