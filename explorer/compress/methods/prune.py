"""Pruning: weights of small magnitude, or random ones, become zero."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from explorer.compress.methods.ordering import Cut, Ordering
from explorer.compress.methods.quantizer import as_array
from explorer.compress.methods.setting import Setting, check_choice, check_fraction, dial
from explorer.compress.methods.thresholding import kept_ties, tie_positions
from explorer.compress.records.coded import Sparse

SEED = 0
CRITERIA = ("magnitude", "obd", "random")


@dataclass(frozen=True)
class Prune(Setting):
    """Zero the weights of smallest magnitude.

    Parameters
    ----------
    sparsity : float, optional
        Fraction of weights to zero, in [0, 1], not a percentage. Exactly
        ``round(sparsity * n)`` of n weights become zero, unless more were zero before.
    threshold : float, optional
        Zero every weight with ``|w| < threshold``. Exactly one of the two is given.
    scope : {"layer", "model"}
        Whether `sparsity` holds in each layer, or over all layers that the step
        applies to, with one threshold for all of them. Called on a single tensor,
        both are the same.
    criterion : {"magnitude", "obd", "random"}
        Which weights go first: the smallest; those whose loss costs least by Optimal
        Brain Damage, h w^2 / 2 with h the second derivative of the network's loss on
        data to tune on, which needs a network and data; or random ones (with a fixed seed)
        as the control experiment. The last two take `sparsity` only.

    References
    ----------
    LeCun, Denker, Solla. "Optimal brain damage". NeurIPS 1989.

    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient
    neural networks". NeurIPS 2015. arXiv:1506.02626.

    Examples
    --------
    >>> import torch
    >>> Prune(sparsity=0.5)(torch.tensor([0.3, -0.1, 0.2, -0.9])).restore()
    tensor([ 0.3000,  0.0000,  0.0000, -0.9000])
    """

    sparsity: float | None = dial(
        None,
        "fraction",
        "Sparsity",
        "Share of the weights that become zero, the least important first: zeros = round(s · n). "
        "Higher: a smaller file; accuracy holds for a while, then falls.",
        step=0.005,
    )
    threshold: float | None = dial(
        None,
        "number",
        "Threshold",
        "Every weight with |w| < t becomes zero. Higher: more zeros and a smaller file; beyond "
        "some point, less accuracy.",
        low=1e-4,
        high=1.0,
    )
    scope: str = dial(
        "layer",
        "choice",
        "Scope",
        "Whether each layer loses the same share (Layer), or the weights of all layers are ranked "
        "together (Model), so that layers with many unimportant ones lose more. With a threshold "
        "it makes no difference.",
        options=("layer", "model"),
    )
    criterion: str = dial(
        "magnitude",
        "choice",
        "Criterion",
        "Which weights go first. Magnitude: smallest |w|; OBD (Optimal Brain Damage): smallest "
        "saliency h · w² / 2, where h says how sharply the loss bends along w; Random: any, as a "
        "control experiment.",
        options=(("Magnitude", "magnitude"), ("OBD", "obd"), ("Random", "random")),
    )

    exclusive: ClassVar[tuple[tuple[str, ...], ...]] = (("sparsity", "threshold"),)
    help = "Set the least important weights to zero."
    role = "prunes"
    records = (Sparse,)

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_fraction("Prune", "sparsity", self.sparsity)
        check_choice("Prune", "scope", self.scope, ("layer", "model"))
        check_choice("Prune", "criterion", self.criterion, CRITERIA)
        if self.threshold is None:
            return
        if isinstance(self.threshold, bool) or not isinstance(self.threshold, (int, float)):
            raise TypeError(f"Prune: threshold must be a number; got {self.threshold!r}")
        if not 0 <= self.threshold <= sys.float_info.max:
            raise ValueError(
                f"Prune: threshold must be finite and at least 0; got {self.threshold!r:.40}"
            )
        if self.criterion != "magnitude":
            raise ValueError(f"Prune: criterion={self.criterion!r} takes sparsity, not threshold")

    def describe(self) -> str:
        """Say the step in a few words."""
        how = "" if self.criterion == "magnitude" else f" {self.criterion}"
        if self.threshold is not None:
            return f"Prune below {self.threshold:.3g}"
        return f"Prune{how} {100 * (self.sparsity or 0):.4g}%"

    def cut(self, ordering: Ordering) -> Cut:
        """Find the sorted weights that go, by magnitude."""
        if self.threshold is not None:
            return ordering.cut_below(self.threshold)
        return ordering.cut_smallest(self.count(ordering.n))

    def count(self, n_weights: int) -> int:
        """How many of `n_weights` become zero."""
        return round((self.sparsity or 0) * n_weights)

    def encode(self, values: Tensor, mask: Tensor | None) -> Sparse:
        """Zero entries of `values`; what was zero stays zero."""
        if self.criterion == "obd":
            raise ValueError(
                "Prune: criterion='obd' needs a network and data, not a tensor alone: use "
                "compress(net, recipe, data=data), or a Session"
            )
        if self.criterion == "random":
            kept = _random_mask(values, self.count(values.numel()))
        else:
            kept = magnitude_mask(values, self.cut(Ordering(as_array(values))))
        return Sparse.of(values, kept)


def magnitude_mask(values: Tensor, cut: Cut) -> Tensor:
    """Return True where a cut keeps the weight, bool, shape of `values`."""
    kept = (values.detach().float().abs() > cut.threshold).contiguous()
    if cut.splits_ties:
        flat = torch.from_numpy(as_array(values)).view(-1)
        positions = kept_ties(flat, tie_positions(flat, cut), cut)
        kept.view(-1)[torch.from_numpy(positions).to(kept.device)] = True
    return kept


def _random_mask(values: Tensor, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(SEED)
    order = torch.randperm(values.numel(), generator=generator).to(values.device)
    zeros_first = order[torch.argsort(values.flatten()[order] != 0, stable=True)]
    kept = values.flatten() != 0
    kept[zeros_first[:count]] = False
    return kept.reshape(values.shape)


@dataclass(frozen=True, eq=False)
class PruneBySaliency(Setting):
    """Zero the weights of lowest saliency of one layer.

    Made by `explorer.compress.networks.planner.resolve` of ``Prune(criterion="obd")``.

    `saliency`: of the weight's shape. `n_pruned`: how many weights become zero.
    """

    role = "prunes"
    records = (Sparse,)

    saliency: Tensor
    n_pruned: int

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PruneBySaliency)
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

    def encode(self, values: Tensor, mask: Tensor | None) -> Sparse:
        """Zero entries of `values`; what was zero stays zero."""
        kept = saliency_mask(self.saliency, values, self.n_pruned)
        return Sparse.of(values, kept if mask is None else kept & mask)


def saliency_mask(saliency: Tensor, weight: Tensor, count: int) -> Tensor:
    """Choose the weights to keep.

    `saliency`: shape of `weight`. `weight`: any shape. `count`: how many weights go: exact zeros
    first, all of them even if there are more, then those of lowest saliency; of equals the first in
    row-major order. Returns: bool, shape of `weight`; true where kept. Raises ValueError if the
    shapes differ, `count` is not from 0 to the number of weights, or a saliency is NaN.
    """
    if saliency.shape != weight.shape:
        raise ValueError(
            f"saliency must have the weight's shape {tuple(weight.shape)}; "
            f"got {tuple(saliency.shape)}"
        )
    if not 0 <= count <= weight.numel():
        raise ValueError(f"count must be from 0 to {weight.numel()}; got {count}")
    if bool(saliency.isnan().any()):
        raise ValueError("saliency holds NaN; compute it anew from finite weights and inputs")
    nonzero = weight.detach() != 0
    left = count - int((~nonzero).sum())
    if left <= 0:
        return nonzero
    keys = saliency.detach().float()[nonzero].cpu().numpy()
    limit = np.partition(keys, left - 1)[left - 1]
    gone = keys < limit
    ties = np.flatnonzero(keys == limit)
    gone[ties[: left - int(gone.sum())]] = True
    kept = nonzero.clone()
    kept[nonzero] = torch.from_numpy(~gone).to(kept.device)
    return kept
