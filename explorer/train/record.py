"""TrainRecord and Progress: what a run reports."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Score
from explorer.train.checkpoint import Checkpoint


@dataclass(frozen=True, eq=False)
class TrainRecord:
    """The state of a training run after a step.

    Attributes
    ----------
    net : Module
        The network under training itself, in eval mode while its record is looked at; it
        changes with the next step. Copy it to keep it.
    step, n_steps : int
        Steps done, and steps of the whole run; over all stages.
    epoch : int
        Epochs begun in this stage, from 1; 0 before the first step.
    loss : float
        What was minimized on the last batch, without penalties: the cross-entropy in nats,
        or what `distill` was asked for; NaN before any step.
    penalties : mapping of str to float
        By the penalty's name, with its factor; of the last batch.
    train_accuracy : float
        Share of this epoch's samples so far that were classified rightly, each by the
        network as it was when it saw them; NaN before any step.
    learning_rate : float
        Of the last step.
    density : mapping of str to float
        Share of the weights that are not zero, by layer.
    elapsed_s, remaining_s : float
        Seconds of compute so far, and an estimate of those to come; while nobody asks for
        the next record, no time passes.
    validation : Accuracy, Score or None
        On held-out samples, at the end of each epoch; None otherwise.
    stage, n_stages : int
        Of pruning and retraining, `stage` from 0.
    centroids : mapping of str to Tensor
        Copies of the shared values, shape (k,), of the layers that share weights.
    parts : mapping of str to float
        Terms of `loss` by name, with their factors: ``"hard"`` for the labels; ``"soft"``,
        ``"logits"`` or ``"hint"`` where a teacher takes part. Empty before any step.
    """

    net: nn.Module
    step: int
    n_steps: int
    epoch: int
    loss: float
    penalties: Mapping[str, float]
    train_accuracy: float
    learning_rate: float
    density: Mapping[str, float]
    elapsed_s: float
    remaining_s: float
    validation: Accuracy | Score | None = None
    stage: int = 0
    n_stages: int = 1
    centroids: Mapping[str, Tensor] = field(default_factory=dict)
    parts: Mapping[str, float] = field(default_factory=dict)
    _checkpoint: Callable[[], Checkpoint] | None = field(default=None, repr=False)

    @property
    def total_loss(self) -> float:
        """What was minimized: `loss` and all penalties."""
        return self.loss + sum(self.penalties.values())

    @property
    def done(self) -> bool:
        """Whether this was the last step."""
        return self.step >= self.n_steps

    def checkpoint(self) -> Checkpoint:
        """Copy all that the run needs to go on from where it is now.

        Returns
        -------
        Checkpoint

        Raises
        ------
        ValueError
            If the record is not that of a run.
        """
        if self._checkpoint is None:
            raise ValueError("this record belongs to no run; take the checkpoint while training")
        return self._checkpoint()


NAN = math.nan


@dataclass(frozen=True, eq=False)
class Progress:
    """Where a run stands.

    `step`, `epoch`, `position`: steps done, epochs begun, and steps done of this epoch. `n_seen`,
    `n_hits`: samples of this epoch so far, and those classified rightly. `loss`, `learning_rate`:
    of the last step. `penalties`: of the last step. `parts`: terms of the last step's loss.
    `drawn`, `now`, `dropout`: states of the generators: before this epoch's order was drawn, now,
    and dropout's.
    """

    drawn: Tensor
    now: Tensor
    dropout: Tensor
    penalties: Mapping[str, float]
    step: int = 0
    epoch: int = 0
    position: int = 0
    n_seen: int = 0
    n_hits: int = 0
    loss: float = NAN
    learning_rate: float = NAN
    elapsed_s: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
