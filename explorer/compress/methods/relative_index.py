"""Relative indices of a chosen width for the positions of kept weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explorer.compress.coding.relative_index import MAX_INDEX_BITS
from explorer.compress.methods.setting import StorageSetting, check_count, dial


@dataclass(frozen=True)
class RelativeIndex(StorageSetting):
    """Write where kept weights are as distances of a fixed number of bits.

    A distance too long for its bits is carried by fillers. Tensors that no step pruned are
    left alone; without this step, positions take the cheaper of a bitmap and an
    Elias-Fano code.

    Parameters
    ----------
    bits : int
        Width of an index, from 1 to 16. The paper takes 4 or 5.

    References
    ----------
    Han, Mao, Dally. "Deep compression: compressing deep neural networks with pruning,
    trained quantization and Huffman coding". ICLR 2016. arXiv:1510.00149.

    Examples
    --------
    >>> import torch
    >>> from explorer.compress.methods.prune import Prune
    >>> weight = torch.tensor([0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 3.0])
    >>> RelativeIndex(bits=2)(Prune(sparsity=0.7)(weight)).field_bits
    (8, 96)
    """

    title = "Relative index"
    help = "Write where weights are kept as short distances; no weight changes."

    bits: int = dial(
        5,
        "integer",
        "Index bits",
        "A kept weight's place is the count of zeros before it, written with b bits; a longer gap "
        "needs ⌊gap / (2ᵇ − 1)⌋ fillers. No weight changes: look for the b of the smallest file.",
        low=1,
        high=12,
        step=1,
    )

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_count("RelativeIndex", "bits", self.bits, 1, MAX_INDEX_BITS)

    def describe(self) -> str:
        """Say the step in a few words."""
        return f"{self.bits}-bit index"

    def storage(self) -> dict[str, Any]:
        """Set the width."""
        return {"index_bits": self.bits}
