"""Distillation of a small network under constraints: fewer weights, few values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.compress.methods.share import Share
from explorer.reproduce.log import threads
from explorer.train.samples import shifted

CLIP = 2.0


class Constraint(Protocol):
    """What keeps weights where they should be while they are trained."""

    def before(self, done: float) -> None:
        """Prepare the weights for a step; `done` is the share of the steps that are done."""

    def between(self) -> None:
        """Act between the backward pass and the optimizer."""

    def after(self) -> None:
        """Act once the optimizer has changed the weights."""


@dataclass(frozen=True)
class Distillation:
    """How a student is trained.

    `learning_rate`: the first one; it falls to 0 along half a cosine after a rise over `warm_up`.
    `warm_up`: share of the steps over which the rate rises. `weight_decay`, `momentum`: of
    stochastic gradient descent with Nesterov's momentum. `mix`: part of the teacher's answers in
    the loss, in [0, 1]; the labels have the rest. `temperature`: by which the logits of both are
    divided for comparing them. `max_shift`: each image is moved by up to so many pixels along both
    axes. `n_threads`: threads that torch uses meanwhile. One is quickest for small networks where
    other programs run, and repeats to the last bit.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.
    """

    n_epochs: int
    learning_rate: float
    batch_size: int = 128
    warm_up: float = 0.03
    weight_decay: float = 1e-4
    momentum: float = 0.9
    mix: float = 0.6
    temperature: float = 2.0
    max_shift: int = 2
    seed: int = 0
    n_threads: int = 1

    def rate_at(self, done: float) -> float:
        """Return the learning rate once the share `done` of the steps is done."""
        rise = min(1.0, (done + 1e-3) / self.warm_up) if self.warm_up else 1.0
        return rise * self.learning_rate * (1 + math.cos(math.pi * done)) / 2

    def loss(self, scores: Tensor, labels: Tensor, answers: Tensor) -> Tensor:
        """Mix the cross-entropy with the divergence from the teacher's answers, in nats.

        `scores`, `answers`: shape (n, n_classes); logits of the student and of the teacher.
        `labels`: shape (n,), int64.
        """
        t = self.temperature
        soft = F.kl_div(
            F.log_softmax(scores / t, 1),
            F.log_softmax(answers / t, 1),
            None,
            None,
            "batchmean",
            log_target=True,
        )
        return (1 - self.mix) * F.cross_entropy(scores, labels) + self.mix * t * soft


def answers_of(teacher: nn.Module, images: Tensor, batch: int = 500) -> Tensor:
    """Return a network's logits for all images, shape (n, n_classes)."""
    with torch.inference_mode():
        found = torch.cat([teacher(part) for part in images.split(batch)])
    return found.clone()


def distill(
    net: nn.Module,
    train: tuple[Tensor, Tensor],
    answers: Tensor,
    settings: Distillation,
    constraint: Constraint,
) -> Iterator[int]:
    """Train a network in place; after each epoch, yield its number from 1.

    `net`: in eval mode while an epoch's number is looked at. `train`: images (n, 1, height, width)
    and labels (n,). `answers`: shape (n, n_classes); the teacher's logits for the images where they
    are.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    parameters = list(net.parameters())
    optimizer = torch.optim.SGD(
        parameters,
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        nesterov=settings.momentum > 0,
    )
    images, labels = train
    n_steps = max(1, len(labels) // settings.batch_size)
    for epoch in range(settings.n_epochs):
        net.train()
        order = torch.randperm(len(labels), generator=generator)
        with threads(settings.n_threads):
            for step in range(n_steps):
                done = (epoch + step / n_steps) / settings.n_epochs
                chosen = order[step * settings.batch_size : (step + 1) * settings.batch_size]
                inputs = shifted(images[chosen], settings.max_shift, generator)
                constraint.before(done)
                loss = settings.loss(net(inputs), labels[chosen], answers[chosen])
                optimizer.zero_grad()
                loss.backward()
                constraint.between()
                nn.utils.clip_grad_norm_(parameters, CLIP)
                for group in optimizer.param_groups:
                    group["lr"] = settings.rate_at(done)
                optimizer.step()
                constraint.after()
        net.eval()
        yield epoch + 1


N_PRUNINGS = 200


def relative_squares(weight: Tensor) -> Tensor:
    """Score weights so that they compare between layers: w^2 over the sum of those not smaller.

    `weight`: any shape. Returns: shape of `weight`; in [0, 1]; 1 for the largest weight.

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

    `layers`: written to. `n_weights`: how many are left in the end. `until`: share of the steps
    after which no more are pruned.

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

    `layers`: written to: each weight takes its cluster's value at once. `n_clusters`: values a
    layer, by fnmatch pattern, of which the first that matches wins.

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
