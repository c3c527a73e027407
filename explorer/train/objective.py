"""What a training run minimizes on its samples, penalties aside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from explorer.compress.networks.forward import Inputs, scores
from explorer.train.samples import Samples
from explorer.train.settings import TrainSettings


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples of one step.

    `inputs`: shape (n, ...), or a tuple or dict of them; as the network gets them, moved where the
    settings say so. `labels`: shape (n,), integer. `chosen`: shape (n,), int64; their numbers in
    the data.
    """

    inputs: Inputs
    labels: Tensor
    chosen: Tensor


class Objective(ABC):
    """A loss as a sum of named parts."""

    def begin(self, net: nn.Module, samples: Samples, settings: TrainSettings) -> None:  # noqa: B027
        """Make ready to train `net`, which is in eval mode; raise where something does not fit."""

    @property
    def trained(self) -> nn.Module:
        """What is trained along with the network and is no part of it."""
        return nn.Module()

    @property
    def identity(self) -> dict[str, Any] | None:
        """What must be the same for a run to go on, as JSON can hold it."""
        return None

    def scores(self, net: nn.Module, batch: Batch) -> Tensor:
        """Return the network's scores, shape (n, n_classes), and keep what `parts` needs."""
        return scores(net, batch.inputs)

    @abstractmethod
    def parts(self, scores: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of the loss by name, at least one, with their factors."""


class CrossEntropy(Objective):
    """The mean cross-entropy with the labels, in nats."""

    def parts(self, scores: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the one term."""
        return {"hard": nn.functional.cross_entropy(scores, batch.labels)}
