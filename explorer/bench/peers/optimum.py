"""The least cost that k clusters of scalars can have, by kmeans1d."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from explorer.bench.peers.contest import Outcome
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort
from explorer.compress.methods.share import Share

COUNTS = (16, 32)


def outcomes(subject: Subject, effort: Effort) -> Iterator[Outcome]:
    """Cluster evenly spaced weights of the largest layer."""
    flat = subject.layers[subject.largest].source.view(-1)
    stride = -(-flat.numel() // effort.n_sample)
    values = flat[::stride].float().numpy().copy()
    what = f"{values.size:,} weights of {subject.largest}"
    for k in COUNTS:
        yield Outcome(
            f"kmeans1d, k = {k}",
            "kmeans1d",
            f"least squared error of {what}",
            f"squared error of Share({k})",
            partial(_least, values, k),
            partial(_ours, values, Share(n_clusters=k)),
        )


def _least(values: np.ndarray, k: int) -> float:
    import kmeans1d

    found = kmeans1d.cluster(values.astype(np.float64), k)
    return _cost(values, np.array(found.centroids)[np.array(found.clusters)])


def _ours(values: np.ndarray, setting: Share) -> float:
    return _cost(values, setting(torch.from_numpy(values)).restore().numpy())


def _cost(values: np.ndarray, levels: np.ndarray) -> float:
    return float(np.square(values - levels.astype(np.float64)).sum())
