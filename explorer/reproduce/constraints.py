"""Constraints on weights under training: fewer and fewer of them, then few different values."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

import torch
from torch import Tensor

from explorer.compress.share import Share

N_PRUNINGS = 200


def relative_squares(weight: Tensor) -> Tensor:
    """Score weights so that they compare between layers: w^2 over the sum of those not smaller.

    Parameters
    ----------
    weight : Tensor, any shape

    Returns
    -------
    Tensor, shape of `weight`
        In [0, 1]; 1 for the largest weight.

    References
    ----------
    Lee, Park, Mo, Ahn, Shin. "Layer-adaptive sparsity for the magnitude-based pruning". ICLR
    2021. arXiv:2010.07611.

    Examples
    --------
    >>> relative_squares(torch.tensor([1.0, -2.0]))
    tensor([0.2000, 1.0000])
    """
    squares = weight.detach().flatten().double().square()
    falling, order = squares.sort(descending=True, stable=True)
    scores = torch.empty_like(squares)
    scores[order] = falling / falling.cumsum(0).clamp_min(1e-300)
    return scores.view_as(weight).to(weight.dtype)


class Fewer:
    """Weights are pruned over the whole network, along a cubic curve, while they are trained.

    Parameters
    ----------
    layers : mapping of str to Parameter
        Written to.
    n_weights : int
        How many are left in the end.
    until : float
        Share of the steps after which no more are pruned.

    References
    ----------
    Zhu, Gupta. "To prune, or not to prune: exploring the efficacy of pruning for model
    compression". 2017. arXiv:1710.01878.
    """

    def __init__(self, layers: Mapping[str, Tensor], n_weights: int, until: float = 0.5) -> None:
        self.layers, self.n_weights, self.until = layers, n_weights, until
        self.masks = {name: weight.detach() != 0 for name, weight in layers.items()}
        self.n_first = sum(int(mask.sum()) for mask in self.masks.values())
        self._next = 0.0

    def before(self, done: float) -> None:
        """Prune to where the curve is."""
        if done < self._next or self._next > self.until:
            return
        self._next = done + self.until / N_PRUNINGS
        left = (1 - min(1.0, done / self.until)) ** 3
        self.prune(self.n_weights + int((self.n_first - self.n_weights) * left))

    def prune(self, n_left: int) -> None:
        """Keep the `n_left` weights of the highest scores."""
        scores = {n: relative_squares(w) * self.masks[n] for n, w in self.layers.items()}
        together = torch.cat([score.flatten() for score in scores.values()])
        if n_left >= int(together.count_nonzero()):
            return
        least = together.topk(n_left).values[-1]
        self.masks = {name: score >= least for name, score in scores.items()}
        self.after()

    def between(self) -> None:
        """Do nothing."""

    def after(self) -> None:
        """Keep pruned weights at zero."""
        with torch.no_grad():
            for name, weight in self.layers.items():
                weight.mul_(self.masks[name])


class FewValues:
    """Weights share k values a layer, which are trained; who shares with whom stays.

    Each weight moves along the mean gradient of those that share its value, so that they stay
    the same. Zeros stay zero.

    Parameters
    ----------
    layers : mapping of str to Parameter
        Written to: each weight takes its cluster's value at once.
    n_clusters : mapping of str to int
        Values a layer, by fnmatch pattern, of which the first that matches wins.

    References
    ----------
    Han, Mao, Dally. "Deep compression: compressing deep neural networks with pruning, trained
    quantization and Huffman coding". ICLR 2016. arXiv:1510.00149.
    """

    def __init__(self, layers: Mapping[str, Tensor], n_clusters: Mapping[str, int]) -> None:
        self.layers = layers
        self.codes: dict[str, Tensor] = {}
        with torch.no_grad():
            for name, weight in layers.items():
                weight.copy_(Share(n_clusters=_first(n_clusters, name))(weight.detach()).restore())
                self.codes[name] = weight.unique(return_inverse=True)[1].flatten()

    def before(self, done: float) -> None:
        """Do nothing."""

    def between(self) -> None:
        """Replace each gradient by the mean over the weights that share its value."""
        for name, weight in self.layers.items():
            if weight.grad is not None:
                codes = self.codes[name]
                sums = weight.grad.new_zeros(int(codes.max()) + 1)
                sums.index_add_(0, codes, weight.grad.flatten())
                means = (sums / torch.bincount(codes))[codes].view_as(weight)
                weight.grad.copy_(means * (weight.detach() != 0))

    def after(self) -> None:
        """Do nothing."""


def _first(by_pattern: Mapping[str, int], name: str) -> int:
    for pattern, value in by_pattern.items():
        if fnmatchcase(name, pattern):
            return value
    raise ValueError(f"n_clusters: no pattern matches layer {name!r}; add one, or '*'")
