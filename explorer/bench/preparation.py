"""Making the index, as a multiple of sorting."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from explorer.bench.rows import BenchRow, Finding
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort, Job, alternate
from explorer.compress.ordering import Ordering

SORTING = "numpy.sort of the same weights"


def index(subject: Subject, effort: Effort) -> Iterator[Finding]:
    """Index all layers, one after the other, each index being dropped at once.

    Yields
    ------
    BenchRow
        Sorting, prefix sums and the histogram's bins. Baseline: `SORTING`.
    """
    arrays = [layer.source.numpy() for layer in subject.layers.values()]
    jobs = {
        "index": Job(lambda _: [_index(array) for array in arrays]),
        SORTING: Job(lambda _: [np.sort(array, axis=None).size for array in arrays]),
    }
    timings = alternate(jobs, effort)
    yield BenchRow.of(
        subject.name,
        "index, all layers",
        "sorted weights, sums, bins",
        timings["index"],
        SORTING,
        timings[SORTING],
    )


def _index(weights: np.ndarray) -> int:
    ordering = Ordering(weights)
    _ = ordering.squared_norm, ordering.zeros, ordering.edge_ranks
    return ordering.n
