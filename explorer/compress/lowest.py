"""Pruning by a saliency that was measured on a network: what `Prune` becomes for one layer."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from explorer.compress.coded import Pruned
from explorer.compress.setting import Setting


@dataclass(frozen=True, eq=False)
class PruneLowest(Setting):
    """Zero the weights of lowest saliency of one layer.

    Made by `explorer.compress.resolve.resolve` of ``Prune(criterion="obd")``.

    Parameters
    ----------
    saliency : Tensor
        Of the weight's shape.
    n_pruned : int
        How many weights become zero.
    """

    role = "prunes"
    records = (Pruned,)

    saliency: Tensor
    n_pruned: int

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PruneLowest)
            and self.saliency is other.saliency
            and self.n_pruned == other.n_pruned
        )

    def __hash__(self) -> int:
        return hash((id(self.saliency), self.n_pruned))

    def check(self) -> None:
        """Take any count: it comes from a step that was checked."""

    def describe(self) -> str:
        """Say the step in a few words."""
        return f"Prune obd {100 * self.n_pruned / self.saliency.numel():.4g}%"

    def encode(self, values: Tensor, mask: Tensor | None) -> Pruned:
        """Zero entries of `values`; what was zero stays zero."""
        from explorer.compress.saliency import saliency_mask

        kept = saliency_mask(self.saliency, values, self.n_pruned)
        return Pruned.of(values, kept if mask is None else kept & mask)
