"""Values that weights share; singular values; errors by stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.compress.methods.low_rank import break_even_rank
from explorer.compress.methods.svd import Factors
from explorer.compress.networks.plan import Plan
from explorer.compress.records.storage import Stored
from explorer.measure.data import evenly


@dataclass(frozen=True)
class Codebook:
    """Centroids or quantization levels of a layer.

    `levels`: shape (k,), float32; the shared values, ascending. `counts`: shape (k,), int64;
    weights at each. `code_bits`: bits of one code in the file, all codes being equally long.
    `code_lengths`: shape (k,), int64, or None; bits of each level's code word where an entropy
    coder gives them; else None. Raises ValueError if the arrays do not have one entry a level.
    """

    levels: np.ndarray
    counts: np.ndarray
    code_bits: int
    code_lengths: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in ("counts", "code_lengths"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.levels):
                raise ValueError(
                    f"{name} must have one entry for each of the {len(self.levels)} levels, "
                    f"got {len(given)}: leave out what is not shared"
                )

    def gathered(self, most: int) -> tuple[np.ndarray, np.ndarray]:
        """Gather neighbors where there are more than `most` levels.

        `most`: how many groups there may be. Returns: `places`: shape (n,), float64; the levels, or
        the middles of `most` equal steps from the first to the last; `counts`: shape (n,), int64;
        weights at each.
        """
        levels = self.levels.astype(np.float64)
        if len(levels) <= most:
            return levels, self.counts
        counts, edges = np.histogram(levels, most, weights=self.counts)
        return (edges[:-1] + edges[1:]) / 2, counts

    @property
    def n_coded(self) -> int:
        """Weights that share a value."""
        return int(self.counts.sum())

    @property
    def mean_bits(self) -> float:
        """Mean bits of a weight's code."""
        if self.code_lengths is None or not self.n_coded:
            return float(self.code_bits)
        return float(self.counts @ self.code_lengths) / self.n_coded


def codebook(plan: Plan) -> Codebook | None:
    """Return the values that a layer's weights share; None where they share none.

    `plan`: what is made of the layer.
    """
    if plan.levels is None or plan.level_counts is None or not len(plan.levels):
        return None
    lengths = _code_lengths(plan)
    bits = max(0, len(plan.levels) - 1).bit_length()
    return Codebook(plan.levels, plan.level_counts, bits, lengths)


def _code_lengths(plan: Plan) -> np.ndarray | None:
    """Bits of each level's Huffman code word, where the plan's record has such a code."""
    record = plan.record
    if not isinstance(record, Stored) or record.codes is None or record.coder != "huffman":
        return None
    used = record.codes.model.entries[record.codes.counts > 0].astype(np.int64)
    return used if plan.levels is not None and used.size == len(plan.levels) else None


@dataclass(frozen=True)
class Spectrum:
    """Singular values of a layer's matrix.

    `values`: shape (n_values,), float32; singular values, largest first; may hold only the leading
    ones. `rank`: how many are kept by the recipe; None where the layer is not factored.
    `full_rank`: min(rows, columns) of the matrix. `break_even`: largest rank k at which k (m + n +
    1) numbers are no more than m n. `exact`: false while `values` come from a randomized
    factorization.
    """

    values: np.ndarray
    rank: int | None
    full_rank: int
    break_even: int
    exact: bool = True

    def drawn(self, most: int) -> np.ndarray:
        """Return at most `most` of the ranks from 1 on that have a value, ends included."""
        return 1 + evenly(len(self.values), most)

    def kept(self, most: int) -> np.ndarray:
        """Return at most `most` of the ranks that are kept, ends included; none if unfactored."""
        if self.rank is None:
            return np.zeros(0, dtype=np.int64)
        return 1 + evenly(max(1, min(self.rank, len(self.values))), most)


def spectrum(factors: Factors, rank: int | None) -> Spectrum:
    """Draw up a layer's spectrum from its factors.

    `rank`: how many singular values the recipe keeps.
    """
    n_rows, n_columns = len(factors.left), factors.right.shape[1]
    return Spectrum(
        factors.singular_values.numpy(),
        rank,
        min(n_rows, n_columns),
        break_even_rank(n_rows, n_columns),
        factors.exact,
    )


@dataclass(frozen=True)
class StageErrors:
    """Relative Frobenius errors, one a stage or one a block.

    `labels`: what each error belongs to, such as ``"Stage 1"``. `errors`: ``||W - W'|| / ||W||``
    after each stage, or of each block. `kind`: one of "stage", "block"; stages follow one another;
    blocks lie side by side. Raises ValueError if there are not as many errors as labels, or one is
    negative.
    """

    labels: tuple[str, ...]
    errors: tuple[float, ...]
    kind: Literal["stage", "block"] = "stage"

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.errors):
            raise ValueError(
                f"errors must be one for each of the {len(self.labels)} labels, "
                f"got {len(self.errors)}"
            )
        if any(not error >= 0 for error in self.errors):
            raise ValueError(f"errors must not be negative, got {min(self.errors)}")
