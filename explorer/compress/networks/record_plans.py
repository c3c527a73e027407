"""The plans of a factored layer, of one written in another way, and of one no index serves."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from explorer.compress.methods.low_rank import LowRanked
from explorer.compress.methods.ordering import Ordering
from explorer.compress.methods.quantizer import as_array
from explorer.compress.methods.svd import Factors
from explorer.compress.networks.plan import Plan, Sample, bin_values
from explorer.compress.records.coded import ScalarCoded
from explorer.compress.records.record import Dense, Record, as_matrix
from explorer.compress.records.spec import Layout, TensorSpec
from explorer.compress.records.storage import Stored


class LowRankPlan(Plan):
    """A factored layer: everything follows from the cached factors and the rank."""

    def __init__(self, factors: Factors, rank: int, ordering: Ordering, sample: Sample) -> None:
        self._factors = factors
        self._ordering = ordering
        self._sample = sample
        self.rank = rank
        self.exact = factors.exact
        shape = torch.Size([len(factors.left), factors.right.shape[1]])
        self.field_bits = TensorSpec(self.layout, shape, torch.float32).field_bits
        self.n_nonzero = factors.n_nonzero(rank)

    @property
    def layout(self) -> Layout:
        """What the file's header says of the layer."""
        dense = Layout.of(Dense)
        return Layout.of(LowRanked, rank=self.rank or 0, left=dense, right=dense)

    @property
    def squared_error(self) -> float:
        """Sum of the squared singular values left out."""
        return self._factors.squared_error(self.rank or 0)

    def histogram(self) -> np.ndarray:
        """Weights of the product in each bin, for a large layer those of a sample scaled up."""
        counts = bin_values(self._ordering.edges, self.sample(self._sample))
        scale = self._ordering.n / self._sample.values.numel()
        return np.round(counts * scale).astype(np.int64)

    def write(self, source: Tensor, out: Tensor) -> None:
        """Write the product of the factors into `out`."""
        self._factors.product_into(self.rank or 0, as_matrix(out))

    def sample(self, part: Sample) -> np.ndarray:
        """Part of the product of the factors."""
        factors, k = self._factors, self.rank or 0
        left = factors.left[part.rows, :k] * factors.values[:k]
        return (left @ factors.right[:k, part.columns]).numpy()


class RecordPlan(Plan):
    """A layer compressed by steps that no index serves: the record itself is the plan."""

    record: Record

    def __init__(self, record: Record, source: Tensor, ordering: Ordering) -> None:
        self.record = record
        self._ordering = ordering
        self._values = record.restore().float()
        self._error = float(((self._values.double() - source.double()) ** 2).sum())
        self.field_bits = record.field_bits
        self.n_nonzero = int(torch.count_nonzero(self._values))
        self.rank = getattr(record, "rank", None)
        self.levels, self.level_counts = _levels(record)

    @property
    def layout(self) -> Layout:
        """What the file's header says of the layer."""
        return self.record.layout

    @property
    def squared_error(self) -> float:
        """Squared Frobenius norm of the change."""
        return self._error

    def histogram(self) -> np.ndarray:
        """Kept weights in each bin."""
        return bin_values(self._ordering.edges, as_array(self._values))

    def write(self, source: Tensor, out: Tensor) -> None:
        """Copy the restored weights into `out`."""
        out.copy_(self._values)

    def sample(self, part: Sample) -> np.ndarray:
        """Part of the restored matrix."""
        return as_matrix(self._values)[part.rows, part.columns].numpy()


def _levels(record: Record) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """Return the values that codes alone stand for, ascending, and how many weights take each."""
    inner = record.inner if isinstance(record, Stored) else record
    if not isinstance(inner, ScalarCoded) or inner.levels is None:
        return None, None
    values = as_array(inner.levels)
    counts = np.bincount(inner.codes.cpu().numpy(), minlength=values.size)
    order = np.argsort(values, kind="stable")
    return values[order], counts[order]


class StoredPlan(Plan):
    """A layer whose weights another plan gives, written in another way.

    `plan`: what the weights become. `record`: how they are written.
    """

    record: Record

    def __init__(self, plan: Plan, record: Record) -> None:
        self._plan = plan
        self.record = record
        self.field_bits = record.field_bits
        self.n_nonzero, self.threshold = plan.n_nonzero, plan.threshold
        self.levels, self.level_counts = plan.levels, plan.level_counts
        self.rank, self.exact = plan.rank, plan.exact

    @property
    def layout(self) -> Layout:
        """What the file's header says of the layer."""
        return self.record.layout

    @property
    def squared_error(self) -> float:
        """Squared Frobenius norm of the change."""
        return self._plan.squared_error

    def histogram(self) -> np.ndarray:
        """Kept weights in each bin."""
        return self._plan.histogram()

    def write(self, source: Tensor, out: Tensor) -> None:
        """Write the compressed weights into `out`."""
        self._plan.write(source, out)

    def sample(self, part: Sample) -> np.ndarray:
        """Compressed weights of part of the matrix."""
        return self._plan.sample(part)
