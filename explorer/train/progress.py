"""Where a training run stands: counts, times and random state."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

NAN = math.nan


@dataclass(frozen=True, eq=False)
class Progress:
    """Where a run stands.

    Attributes
    ----------
    step, epoch, position : int
        Steps done, epochs begun, and steps done of this epoch.
    n_seen, n_hits : int
        Samples of this epoch so far, and those classified rightly.
    loss, learning_rate : float
        Of the last step.
    penalties : mapping of str to float
        Of the last step.
    elapsed_s : float
    parts : mapping of str to float
        Terms of the last step's loss.
    drawn, now, dropout : Tensor
        States of the generators: before this epoch's order was drawn, now, and dropout's.
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
