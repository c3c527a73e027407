"""What a session finds out for itself: where to compute, unsound numbers."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def chosen_device(device: str | torch.device) -> torch.device:
    """Return the device that is meant; raise ValueError where torch has no such device."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = torch.device(device)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device: torch sees no GPU here, got {device!r}; use 'auto' or 'cpu'")
    return chosen


def check_numbers(net: nn.Module) -> None:
    """Raise ValueError where a bias or the like holds NaN; weights are checked on their own."""
    for name, tensor in net.state_dict().items():
        if isinstance(tensor, Tensor) and tensor.is_floating_point() and bool(tensor.isnan().any()):
            raise ValueError(
                f"net: {name} holds NaN, so that its answers mean nothing. Train again from an "
                "earlier checkpoint, or repair it"
            )
