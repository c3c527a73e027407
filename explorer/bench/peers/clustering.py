"""k-means of the weights of the largest layer by other libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from explorer.bench.peers.contest import Contest
from explorer.bench.subject import Subject, forget
from explorer.bench.timing import Effort, Job
from explorer.compress.methods.share import Share
from explorer.compress.networks.layer import IndexedLayer

N_CLUSTERS = 16


def contests(subject: Subject, effort: Effort) -> Iterator[Contest]:
    """Cluster the largest layer, or as many of its weights as `effort` allows."""
    layer = subject.layers[subject.largest]
    flat = layer.source.view(-1)
    stride = -(-flat.numel() // effort.n_sample)
    sample = flat[::stride].contiguous()
    extent = "all" if stride == 1 else "evenly spaced"
    for name, package, cluster in (
        ("scikit-learn KMeans", "sklearn", _kmeans),
        ("scikit-learn MiniBatchKMeans", "sklearn", _mini_batch),
        ("kmeans1d", "kmeans1d", _kmeans1d),
        ("faiss Kmeans", "faiss", _faiss),
    ):
        yield Contest(
            f"{name}, k = {N_CLUSTERS}",
            package,
            f"{sample.numel():,} ({extent}) weights of {layer.name}",
            f"Share({N_CLUSTERS}) of the same, plan + rewrite",
            partial(_jobs, sample, cluster),
        )


def _jobs(sample: Tensor, cluster: Callable[[np.ndarray], None]) -> tuple[Job, Job]:
    return Job(cluster, lambda _: sample.numpy().reshape(-1, 1)), _ours(sample)


def _ours(sample: Tensor) -> Job:
    layer, out = IndexedLayer("sample", sample), torch.empty_like(sample)

    def run(_: object) -> None:
        layer.plan((Share(n_clusters=N_CLUSTERS),)).write(layer.source, out)

    return Job(run, lambda _: forget(layer))


def _start(column: np.ndarray) -> np.ndarray:
    return np.linspace(column.min(), column.max(), N_CLUSTERS, dtype=column.dtype).reshape(-1, 1)


def _kmeans(column: np.ndarray) -> None:
    from sklearn.cluster import KMeans

    KMeans(N_CLUSTERS, init=_start(column), n_init=1).fit(column)


def _mini_batch(column: np.ndarray) -> None:
    from sklearn.cluster import MiniBatchKMeans

    MiniBatchKMeans(N_CLUSTERS, init=_start(column), n_init=1).fit(column)


def _kmeans1d(column: np.ndarray) -> None:
    import kmeans1d

    kmeans1d.cluster(column.ravel(), N_CLUSTERS)


def _faiss(column: np.ndarray) -> None:
    import faiss

    kmeans = faiss.Kmeans(1, N_CLUSTERS, max_points_per_centroid=len(column))
    kmeans.train(column)
    kmeans.index.search(column, 1)
