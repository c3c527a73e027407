"""The optimizer of a training run."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

from explorer.train.centroids import Centroids
from explorer.train.settings import TrainSettings


def optimizer_of(
    net: nn.Module, settings: TrainSettings, centroids: Collection[Centroids], along: nn.Module
) -> torch.optim.Optimizer:
    """Make the optimizer that settings name.

    Parameters
    ----------
    net : Module
    settings : TrainSettings
    centroids : collection of Centroids
        Shared values, trained instead of the weights that share them.
    along : Module
        Trained along with the network.

    Raises
    ------
    ValueError
        If no parameter of the network is to be trained.
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
