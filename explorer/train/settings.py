"""TrainSettings, and the optimizer that they ask for."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import torch
from torch import nn

from explorer.compress.methods.setting import check_choice, check_count, check_fraction, dial
from explorer.train.centroids import Centroids


def optimizer_of(
    net: nn.Module, settings: TrainSettings, centroids: Collection[Centroids], along: nn.Module
) -> torch.optim.Optimizer:
    """Make the optimizer that settings name.

    `centroids`: shared values, trained instead of the weights that share them. `along`: trained
    along with the network. Raises ValueError if no parameter of the network is to be trained.
    """
    shared = {id(c.weight) for c in centroids}
    free = [p for p in net.parameters() if p.requires_grad and id(p) not in shared]
    values = [c.values for c in centroids if c.weight.requires_grad]
    if not free and not values:
        raise ValueError("net: no parameter requires a gradient; there is nothing to train")
    parts = [
        {"params": [*free, *along.parameters()], "weight_decay": settings.weight_decay},
        {"params": values, "weight_decay": 0.0},
    ]
    parts = [part for part in parts if part["params"]]
    if settings.optimizer == "adam":
        return torch.optim.Adam(parts, lr=settings.learning_rate)
    nesterov = settings.nesterov and settings.momentum > 0
    return torch.optim.SGD(
        parts, lr=settings.learning_rate, momentum=settings.momentum, nesterov=nesterov
    )


OPTIMIZERS = ("sgd", "adam")
SCHEDULES = ("cosine", "step", "constant")
MAX_COUNT = 1_000_000_000
RETRAIN_FACTOR = 0.1


@dataclass(frozen=True)
class TrainSettings:
    """Settings of a training run.

    Parameters
    ----------
    n_epochs : int
        Passes over the data. 0 trains nothing: the network is constrained and judged.
    max_steps : int, optional
        Stop after so many steps, if that is earlier.
    batch_size : int
        Samples a step. What is left of an epoch after whole batches is left out, unless
        there is less data than one batch.
    learning_rate : float
        The first one, positive.
    schedule : {"cosine", "step", "constant"}
        The rate falls to 0 along half a cosine, or is multiplied by `step_factor` every
        `step_epochs` epochs, or stays.
    step_epochs : int
    step_factor : float
        In [0, 1].
    optimizer : {"sgd", "adam"}
        Stochastic gradient descent with momentum, or Adam, whose two decay rates are torch's own.
    momentum : float
        In [0, 1); of SGD.
    nesterov : bool
        Whether SGD looks ahead; without effect where `momentum` is 0.
    weight_decay : float
        Added to the gradient of every trained parameter w as ``weight_decay * w``.
    max_shift : int
        Each image is moved by up to so many pixels along both axes, at random.
    seed : int
        For the order of the samples, the shifts and dropout.
    report_every : int
        A record is yielded after so many steps, and at the end of each epoch.

    References
    ----------
    Kingma, Ba. "Adam: a method for stochastic optimization". ICLR 2015. arXiv:1412.6980.

    Loshchilov, Hutter. "SGDR: stochastic gradient descent with warm restarts". ICLR 2017.
    arXiv:1608.03983.
    """

    n_epochs: int = dial(
        10,
        "integer",
        "Epochs",
        "Passes over the training samples, each of ⌊samples / batch⌋ steps. More take longer; "
        "accuracy mostly rises, ever more slowly.",
        low=0,
        high=100,
        step=1,
    )
    learning_rate: float = dial(
        0.05,
        "number",
        "Learning rate",
        "How far a step goes against the gradient: η at first; by the cosine schedule ηₜ = η · "
        "(1 + cos(π · t / n)) / 2 after t of n steps. Too low learns little; too high makes the "
        "loss jump.",
        low=1e-4,
        high=1.0,
    )
    batch_size: int = dial(
        128,
        "power",
        "Batch size",
        "Samples B whose gradients are averaged in a step: g = Σ gᵢ / B. More: a steadier "
        "direction, but fewer steps an epoch.",
        low=8,
        high=1024,
    )
    schedule: str = dial(
        "cosine",
        "choice",
        "Schedule",
        "How the learning rate falls. Cosine: ηₜ = η · (1 + cos(π · t / n)) / 2 after t of n "
        "steps; Step: by a factor every few epochs; Constant: not at all.",
        options=SCHEDULES,
    )
    optimizer: str = dial(
        "sgd",
        "choice",
        "Optimizer",
        "Stochastic gradient descent with momentum (SGD), or Adam, which scales the step of each "
        "weight by the size of its own gradients.",
        options=(("SGD", "sgd"), ("Adam", "adam")),
    )
    momentum: float = dial(
        0.9,
        "fraction",
        "Momentum",
        "Share μ of the last steps that the next one keeps: v ← μ · v + g. Higher: a steadier "
        "direction. Adam takes no notice of it.",
        high=0.99,
    )
    max_shift: int = dial(
        0,
        "integer",
        "Shift, pixels",
        "Each training image is moved at random, by up to so many pixels along both axes. More "
        "variety to learn from; it takes more epochs.",
        low=0,
        high=4,
        step=1,
    )
    nesterov: bool = True
    weight_decay: float = 0.0
    step_epochs: int = 10
    step_factor: float = 0.1
    max_steps: int | None = None
    seed: int = 0
    report_every: int = 1

    def __post_init__(self) -> None:
        owner = type(self).__name__
        for name, low in _COUNTS.items():
            check_count(owner, name, getattr(self, name), low, MAX_COUNT)
        for name in ("n_epochs", "batch_size", "max_shift", "step_epochs", "seed", "report_every"):
            if getattr(self, name) is None:
                raise TypeError(f"{owner}: {name} must be an integer; got None")
        check_choice(owner, "optimizer", self.optimizer, OPTIMIZERS)
        check_choice(owner, "schedule", self.schedule, SCHEDULES)
        check_positive(owner, "learning_rate", self.learning_rate)
        check_positive(owner, "weight_decay", self.weight_decay, or_zero=True)
        for name in ("momentum", "step_factor"):
            if getattr(self, name) is None:
                raise TypeError(f"{owner}: {name} must be a number in [0, 1]; got None")
            check_fraction(owner, name, getattr(self, name))
        if self.momentum == 1:
            raise ValueError(f"{owner}: momentum must be less than 1; got {self.momentum!r}")
        if not isinstance(self.nesterov, bool):
            raise TypeError(f"{owner}: nesterov must be True or False; got {self.nesterov!r}")

    def steps_an_epoch(self, n_samples: int) -> int:
        """Return the steps of an epoch over `n_samples` samples, at least 1."""
        return max(1, n_samples // self.batch_size)

    def n_steps(self, n_samples: int) -> int:
        """Return the steps of the whole run over `n_samples` samples."""
        steps = self.n_epochs * self.steps_an_epoch(n_samples)
        return steps if self.max_steps is None else min(steps, self.max_steps)

    def rate_at(self, step: int, n_samples: int, n_steps: int | None = None) -> float:
        """Return the learning rate of step number `step`, from 0.

        Parameters
        ----------
        step : int
        n_samples : int
            Samples of an epoch.
        n_steps : int, optional
            Steps of the whole run, where it is shorter than the settings say.
        """
        if self.schedule == "cosine":
            done = step / max(1, self.n_steps(n_samples) if n_steps is None else n_steps)
            return self.learning_rate * (1 + math.cos(math.pi * done)) / 2
        if self.schedule == "step":
            epoch = step // self.steps_an_epoch(n_samples)
            return self.learning_rate * self.step_factor ** (epoch // self.step_epochs)
        return self.learning_rate


_COUNTS = {
    "n_epochs": 0,
    "max_steps": 0,
    "batch_size": 1,
    "step_epochs": 1,
    "max_shift": 0,
    "seed": 0,
    "report_every": 1,
}


def for_retraining(original: TrainSettings) -> TrainSettings:
    """Return settings to retrain a pruned network with: a tenth of the learning rate.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient neural
    networks". NeurIPS 2015. arXiv:1506.02626.
    """
    return replace(original, learning_rate=original.learning_rate * RETRAIN_FACTOR)


def check_positive(owner: str, name: str, value: float, *, or_zero: bool = False) -> None:
    """Raise unless `value` is a finite number above 0, or 0 where that is allowed."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{owner}: {name} must be a number; got {value!r}")
    if not (0 < value < math.inf or (or_zero and value == 0)):
        least = "at least 0" if or_zero else "positive"
        raise ValueError(f"{owner}: {name} must be finite and {least}; got {value!r}")
