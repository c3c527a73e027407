"""Weight sharing: the kept weights take k values, found by k-means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.compress.clusters import Clusters, cluster_sorted
from explorer.compress.coding import Coding, ValueSetting, as_array, codes_tensor, rounded
from explorer.compress.ordering import Cut, Ordering
from explorer.compress.record import Coded, Dense, Record, gather
from explorer.compress.setting import Setting, check_choice, check_count, dial
from explorer.compress.threads import over_chunks

MAX_CLUSTERS = 4096


@dataclass(frozen=True, eq=False)
class Shared(Coded):
    """Kept weights as indices into a codebook.

    Attributes
    ----------
    codebook : Record of shape (k,)
        The values that the weights share; itself compressed where a later step
        quantizes it.
    """

    codebook: Record

    @property
    def dtype(self) -> torch.dtype:
        """Type of the restored weights."""
        return self.codebook.dtype

    @property
    def code_bits(self) -> int:
        """Bits of an index: log2 k, rounded up."""
        return index_bits(self.codebook.n_weights)

    @property
    def alphabet(self) -> int:
        """Length of the codebook."""
        return self.codebook.n_weights

    @property
    def table_bits(self) -> int:
        """Bits of the codebook, each of its fields padded to a byte."""
        return sum(-(-bits // 8) * 8 for bits in self.codebook.field_bits)

    @property
    def meta(self) -> dict[str, Any]:
        """Kind, length and layout of the codebook."""
        meta = {"kind": "shared", "values": self.codebook.n_weights}
        if isinstance(self.codebook, Dense):
            return meta
        return meta | {"codebook": self.codebook.layout}

    def decode(self) -> Tensor:
        """Return the values of the kept weights, shape (n_kept,)."""
        return self.codebook.restore()[self.codes.long()]

    def then(self, setting: Setting) -> Record:
        """Quantize the codebook; prune the codes; start anew for any other step."""
        from explorer.compress.quantize import Quantize

        if isinstance(setting, Quantize) and setting.granularity == "tensor":
            codebook = setting.encode(self.codebook.restore(), None)
            return Shared(self.codes, self.positions, self.full_shape, codebook)
        return super().then(setting)


def index_bits(n_values: int) -> int:
    """Bits that tell `n_values` values apart."""
    return max(0, n_values - 1).bit_length()


class ClusterCoding(Coding):
    """Levels are the centroids of k-means, limits the midpoints between them."""

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
        from explorer.compress.kernels import kept_ranks_above

        return kept_ranks_above(self.ordering.values, self.cut.start, self.cut.stop, self.limits)

    @property
    def code_bits(self) -> int:
        """Bits of an index."""
        return index_bits(self.levels.size)

    @property
    def table_bits(self) -> int:
        """Bits of the codebook."""
        return self.levels.size * self.dtype.itemsize * 8

    @property
    def meta(self) -> dict[str, Any]:
        """Length of the codebook."""
        return {"kind": "shared", "values": self.levels.size}

    def write(self, source: np.ndarray, out: np.ndarray, threshold: float) -> None:
        """Write each weight's centroid, zero up to `threshold`."""
        from explorer.compress.writing_kernels import levels_into

        limits, levels = with_zero_run(self.limits, self.levels, threshold)
        table = run_table(limits)
        over_chunks(source.size, lambda i: levels_into(source[i], out[i], table, limits, levels))

    def record(self, values: Tensor, mask: Tensor | None) -> Shared:
        """Encode the kept `values` as indices into the codebook."""
        kept = as_array(gather(values, mask))
        codes = np.searchsorted(self.limits, kept, "left").astype(np.int16)
        codebook = torch.from_numpy(self.levels).to(values.device, self.dtype)
        return Shared(codes_tensor(codes, values.device), mask, values.shape, Dense(codebook))


def with_zero_run(
    limits: np.ndarray, levels: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Put a run of level 0 for magnitudes up to `threshold` among the others.

    Parameters
    ----------
    limits : ndarray, shape (k - 1,), float32, ascending
    levels : ndarray, shape (k,), float32
        A value v takes the level whose number is the count of limits below v.
    threshold : float
        Negative: nothing becomes zero.

    Returns
    -------
    tuple of ndarray
        Limits and levels with the run put in.
    """
    if threshold < 0 or not levels.size:
        return limits, levels if levels.size else np.zeros(1, np.float32)
    top = np.float32(threshold)
    bottom = np.nextafter(-top, np.float32(-np.inf))
    left = int(np.searchsorted(limits, bottom, "left"))
    right = int(np.searchsorted(limits, np.nextafter(top, np.float32(np.inf)), "left"))
    run = np.array([bottom, top], np.float32)
    return (
        np.concatenate([limits[:left], run, limits[right:]]),
        np.concatenate([levels[: left + 1], np.zeros(1, np.float32), levels[right:]]),
    )


def run_table(limits: np.ndarray) -> np.ndarray:
    """Tabulate the run of every float32 by its high 16 bits, for `kernels.levels_into`.

    Returns
    -------
    ndarray, shape (65536,), int16
    """
    from explorer.compress.writing_kernels import tabulate_runs

    table = np.zeros(65536, np.int16)
    tabulate_runs(limits, table)
    return table


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
        "The weights share k values found by k-means; each is stored as log2 k bits.",
        low=2,
        high=256,
    )
    init: str = dial(
        "linear",
        "choice",
        "Start",
        "Where the first centroids are: even steps, even quantiles, or random weights.",
        options=("linear", "density", "random"),
    )
    refine: bool = dial(
        True,
        "choice",
        "Iterate to",
        "The best centroids there are, whatever the start; or those that Lloyd's iteration "
        "reaches from the start.",
        options=(("the best", True), ("where it stops", False)),
    )

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_count("Share", "n_clusters", self.n_clusters, 1, MAX_CLUSTERS)
        check_choice("Share", "init", self.init, ("linear", "density", "random"))
        if not isinstance(self.refine, bool):
            raise TypeError(f"Share: refine must be True or False; got {self.refine!r}")

    def describe(self) -> str:
        """Say the step in a few words."""
        return f"Share {self.n_clusters} values"

    def coding(self, ordering: Ordering, cut: Cut, dtype: torch.dtype) -> ClusterCoding:
        """Cluster the kept weights of one tensor."""
        clusters = cluster_sorted(ordering, cut, self.n_clusters, self.init, self.refine)
        return ClusterCoding(ordering, cut, dtype, clusters)
