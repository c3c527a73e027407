"""Product and residual quantization by faiss: its time, and the error that it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.bench.peers.contest import Contest, Outcome
from explorer.bench.subject import Subject
from explorer.bench.timing import Effort, Job
from explorer.compress.methods.product import Product
from explorer.compress.methods.residual import Residual
from explorer.compress.methods.setting import Setting

CODE_BITS = 4
WIDTH = 4
N_STAGES = 4


def contests(subject: Subject, effort: Effort) -> Iterator[Contest]:
    """Quantize the first rows of the largest layer, as many as `effort` allows."""
    matrix = _rows(subject, effort)
    for name, fit, ours in _methods(matrix):
        yield Contest(
            name,
            "faiss",
            _what(subject, matrix),
            f"{ours.describe()} of the same",
            partial(_jobs, matrix, fit, ours),
        )


def outcomes(subject: Subject, effort: Effort) -> Iterator[Outcome]:
    """Compare the squared errors that both leave with as many centroids."""
    matrix = _rows(subject, effort)
    for name, fit, ours in _methods(matrix):
        yield Outcome(
            name,
            "faiss",
            f"squared error of {_what(subject, matrix)}",
            f"squared error of {ours.describe()}",
            partial(_their_error, matrix, fit),
            partial(_our_error, matrix, ours),
        )


def _rows(subject: Subject, effort: Effort) -> Tensor:
    """Whole rows of the largest layer, cut to columns that faiss can divide evenly."""
    matrix = subject.layers[subject.largest].matrix
    n_columns = matrix.shape[1] // WIDTH * WIDTH
    n_rows = max(1 << CODE_BITS, effort.n_sample // matrix.shape[1])
    return matrix[:n_rows, :n_columns].float().contiguous()


def _what(subject: Subject, matrix: Tensor) -> str:
    n_rows, n_columns = matrix.shape
    return f"{n_rows:,} rows and {n_columns:,} columns of {subject.largest}"


def _methods(matrix: Tensor) -> Iterator[tuple[str, Callable[[np.ndarray], Any], Setting]]:
    k, n_columns = 1 << CODE_BITS, matrix.shape[1]
    s = n_columns // WIDTH
    yield "faiss ProductQuantizer", _product, Product(n_subvectors=s, n_centroids=k)
    yield "faiss ResidualQuantizer", _residual, Residual(n_stages=N_STAGES, n_centroids=k)


def _product(rows: np.ndarray) -> Any:
    import faiss

    return faiss.ProductQuantizer(rows.shape[1], rows.shape[1] // WIDTH, CODE_BITS)


def _residual(rows: np.ndarray) -> Any:
    import faiss

    quantizer = faiss.ResidualQuantizer(rows.shape[1], N_STAGES, CODE_BITS)
    # Its other way of training needs more rows than columns.
    quantizer.train_type = quantizer.Train_default
    return quantizer


def _quantized(rows: np.ndarray, make: Callable[[np.ndarray], Any]) -> np.ndarray:
    quantizer = make(rows)
    # It warns of fewer than 39 rows a centroid, at length.
    quantizer.cp.min_points_per_centroid = 1
    quantizer.train(rows)
    return quantizer.decode(quantizer.compute_codes(rows))


def _jobs(matrix: Tensor, make: Callable[[np.ndarray], Any], setting: Setting) -> tuple[Job, Job]:
    rows = matrix.numpy()
    return (
        Job(lambda _: _quantized(rows, make)),
        Job(lambda _: setting(matrix).restore()),
    )


def _their_error(matrix: Tensor, make: Callable[[np.ndarray], Any]) -> float:
    return _squared_error(matrix, torch.from_numpy(_quantized(matrix.numpy(), make)))


def _our_error(matrix: Tensor, setting: Setting) -> float:
    return _squared_error(matrix, setting(matrix).restore())


def _squared_error(matrix: Tensor, restored: Tensor) -> float:
    return float((restored.double() - matrix.double()).square().sum())
