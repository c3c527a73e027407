"""The error of a training run whose loss is not a number."""

from __future__ import annotations

import torch

from explorer.compress.networks.forward import Inputs, tensors_of


class NotFinite(ValueError):
    """The loss is NaN or infinite."""


def not_finite(inputs: Inputs, step: int, learning_rate: float) -> NotFinite:
    """Make the error for a loss that is not finite.

    Parameters
    ----------
    inputs : Tensor, tuple or dict of Tensor
        The batch.
    step : int
        Steps done before it.
    learning_rate : float
        The first one of the run.
    """
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors_of(inputs)):
        return NotFinite(
            f"data: the batch of step {step + 1} holds NaN or infinite inputs; leave them out"
        )
    return NotFinite(
        f"training: the loss is not finite at step {step + 1}; the last good weights are kept. "
        f"Lower the learning rate ({learning_rate:g}) or the penalties"
    )
