"""Networks with random weights that can be made again."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


def fresh(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Return a network with random weights, the same for the same seed, in eval mode.

    Parameters
    ----------
    build : callable
        Makes it.
    seed : int
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build().eval()
