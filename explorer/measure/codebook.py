"""The values that a layer's weights share, and how many share each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.compress.networks.plan import Plan
from explorer.compress.records.storage import Stored


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
