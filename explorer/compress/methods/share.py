"""Weight sharing: the kept weights take k values, found by k-means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from explorer.compress.coding.bits import Reader
from explorer.compress.kernels.threads import over_chunks
from explorer.compress.methods.kmeans import Clusters, cluster_sorted
from explorer.compress.methods.ordering import Cut, Ordering
from explorer.compress.methods.quantizer import (
    ScalarQuantizer,
    ValueSetting,
    as_array,
    codes_tensor,
    rounded,
)
from explorer.compress.methods.setting import check_choice, check_count, dial
from explorer.compress.methods.thresholding import run_table, with_zero_run
from explorer.compress.records.coded import MAX_ALPHABET, ScalarCoded
from explorer.compress.records.record import Dense, Record, Step, gather
from explorer.compress.records.spec import TensorSpec
from explorer.compress.records.vectors import codebook_bits, codebook_in, codebook_layout

MAX_CLUSTERS = 4096


@dataclass(frozen=True, eq=False)
class Shared(ScalarCoded):
    """Kept weights as indices into a codebook.

    `codebook`: the values that the weights share; itself compressed where a later step quantizes
    it.
    """

    kind = "shared"

    codebook: Record

    @property
    def dtype(self) -> torch.dtype:
        """Type of the restored weights."""
        return self.codebook.dtype

    @property
    def levels(self) -> Tensor:
        """The values that weights share, shape (k,)."""
        return self.codebook.restore()

    @property
    def meta(self) -> dict[str, Any]:
        """Length of the codebook, and its layout where it is not dense."""
        return {"values": self.codebook.n_weights} | codebook_layout(self.codebook)

    @classmethod
    def alphabet_in(cls, spec: TensorSpec) -> int:
        """Return the length of the codebook."""
        return spec.count("values", MAX_ALPHABET)

    @classmethod
    def table_bits_in(cls, spec: TensorSpec) -> int:
        """Return the bits of the codebook, each of its fields padded to a byte."""
        return codebook_bits(cls._codebook_in(spec))

    @classmethod
    def numbers_in(cls, spec: TensorSpec) -> int:
        """Count the weights and the entries of the codebook."""
        return spec.n_weights + cls._codebook_in(spec).n_numbers

    def write_side_info(self) -> bytes:
        """Return the fields of the codebook."""
        return b"".join(self.codebook.write())

    @classmethod
    def from_parts(
        cls, spec: TensorSpec, mask: Tensor | None, codes: Tensor | None, reader: Reader
    ) -> Shared:
        """Make a record of positions and codes, and of the codebook that follows."""
        codebook = cls._codebook_in(spec).read(reader)
        return cls(cast(Tensor, codes), mask, spec.shape, codebook)

    @classmethod
    def _codebook_in(cls, spec: TensorSpec) -> TensorSpec:
        return codebook_in(spec, torch.Size([cls.alphabet_in(spec)]))

    def decode(self) -> Tensor:
        """Return the values of the kept weights, shape (n_kept,)."""
        return self.levels[self.codes.long()]

    def then(self, step: Step) -> Record:
        """Quantize the codebook; prune the codes; start anew for any other step."""
        if step.applies_to_codebook:
            codebook = step.encode(self.codebook.restore(), None)
            return Shared(self.codes, self.positions, self.full_shape, codebook)
        return super().then(step)


class ClusterQuantizer(ScalarQuantizer):
    """Levels are the centroids of k-means, limits the midpoints between them."""

    makes = Shared

    def __init__(
        self, ordering: Ordering, cut: Cut, dtype: torch.dtype, clusters: Clusters
    ) -> None:
        super().__init__(ordering, cut, dtype)
        self.limits = clusters.limits
        self.n_iterations = clusters.n_iterations
        self._levels = rounded(clusters.centroids, dtype)

    @property
    def levels(self) -> np.ndarray:
        """Centroids, ascending, float32."""
        return self._levels

    def level_ranks(self) -> np.ndarray:
        """Kept weights below each level but the first."""
        from explorer.compress.kernels.sorted import kept_ranks_above

        return kept_ranks_above(self.ordering.values, self.cut.start, self.cut.stop, self.limits)

    @property
    def meta(self) -> dict[str, Any]:
        """Length of the codebook."""
        return {"values": self.levels.size}

    def write(self, source: np.ndarray, out: np.ndarray, threshold: float) -> None:
        """Write each weight's centroid, zero up to `threshold`."""
        from explorer.compress.kernels.writing import levels_into

        limits, levels = with_zero_run(self.limits, self.levels, threshold)
        table = run_table(limits)
        over_chunks(source.size, lambda i: levels_into(source[i], out[i], table, limits, levels))

    def record(self, values: Tensor, mask: Tensor | None) -> Shared:
        """Encode the kept `values` as indices into the codebook."""
        kept = as_array(gather(values, mask))
        codes = np.searchsorted(self.limits, kept, "left").astype(np.int16)
        codebook = torch.from_numpy(self.levels).to(values.device, self.dtype)
        return Shared(codes_tensor(codes, values.device), mask, values.shape, Dense(codebook))


@dataclass(frozen=True)
class Share(ValueSetting):
    """Let the kept weights share `n_clusters` values, found by k-means.

    Pruned weights, and exact zeros, stay zero and take no part.

    Parameters
    ----------
    n_clusters : int
        Number of shared values k, from 1 to 4096. Clusters that end empty are
        not stored.
    init : {"linear", "density", "random"}
        First centroids of the plain iteration: evenly over the range of the kept
        weights (best in the paper), at even quantiles, or at weights drawn with a fixed
        seed. With `refine` they make no difference.
    refine : bool
        Find the clusters of least squared error, to within a percent of it. If False,
        run Lloyd's iteration alone from `init`, as in the paper; with many clusters it
        comes to rest far above the least error.

    References
    ----------
    Han, Mao, Dally. "Deep compression: compressing deep neural networks with pruning,
    trained quantization and Huffman coding". ICLR 2016. arXiv:1510.00149.

    Examples
    --------
    >>> import torch
    >>> Share(n_clusters=2)(torch.tensor([1.0, 2.0, 9.0, 10.0])).restore()
    tensor([1.5000, 1.5000, 9.5000, 9.5000])
    """

    n_clusters: int = dial(
        32,
        "power",
        "Clusters k",
        "The weights share k values, found by k-means; each is stored as a code of ⌈log₂ k⌉ "
        "bits. More values: closer to the original, but a larger file.",
        low=2,
        high=256,
    )
    init: str = dial(
        "linear",
        "choice",
        "Initialization",
        "Where k-means puts its first k values. Linear: at even steps from the smallest to the "
        "largest weight; Density: at even quantiles; Random: on random weights. It matters for "
        "Lloyd's iteration alone.",
        options=("linear", "density", "random"),
    )
    refine: bool = dial(
        True,
        "choice",
        "Algorithm",
        "Whether the k values c are those of least Σ (w − c)², to within a percent (Least error), "
        "or those that plain k-means stops at, often far above it (Lloyd's iteration).",
        options=(("Least error", True), ("Lloyd's iteration", False)),
    )

    help = "Let weights share k values, found by k-means."
    records = (Shared,)

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_count("Share", "n_clusters", self.n_clusters, 1, MAX_CLUSTERS)
        check_choice("Share", "init", self.init, ("linear", "density", "random"))
        if not isinstance(self.refine, bool):
            raise TypeError(f"Share: refine must be True or False; got {self.refine!r}")

    def describe(self) -> str:
        """Say the step in a few words."""
        return f"Share {self.n_clusters} values"

    def quantizer(self, ordering: Ordering, cut: Cut, dtype: torch.dtype) -> ClusterQuantizer:
        """Cluster the kept weights of one tensor."""
        clusters = cluster_sorted(ordering, cut, self.n_clusters, self.init, self.refine)
        return ClusterQuantizer(ordering, cut, dtype, clusters)
