"""Training a small network by the answers of the large one, under a constraint on its weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.reproduce.threads import threads
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

    Attributes
    ----------
    n_epochs, batch_size : int
    learning_rate : float
        The first one; it falls to 0 along half a cosine after a rise over `warm_up`.
    warm_up : float
        Share of the steps over which the rate rises.
    weight_decay, momentum : float
        Of stochastic gradient descent with Nesterov's momentum.
    mix : float
        Part of the teacher's answers in the loss, in [0, 1]; the labels have the rest.
    temperature : float
        By which the logits of both are divided for comparing them.
    max_shift : int
        Each image is moved by up to so many pixels along both axes.
    seed : int
    n_threads : int
        Threads that torch uses meanwhile. One is quickest for small networks where other
        programs run, and repeats to the last bit.

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

        Parameters
        ----------
        scores, answers : Tensor, shape (n, n_classes)
            Logits of the student and of the teacher.
        labels : Tensor, shape (n,), int64
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

    Parameters
    ----------
    net : Module
        In eval mode while an epoch's number is looked at.
    train : pair of Tensor
        Images (n, 1, height, width) and labels (n,).
    answers : Tensor, shape (n, n_classes)
        The teacher's logits for the images where they are.
    settings : Distillation
    constraint : Constraint
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
