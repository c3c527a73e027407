"""What a step writes to, kept so that an interrupted or failed step leaves nothing half done."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.train.record import Progress


class Undo:
    """Copies of a network and its optimizer from just before the last update.

    `optimizer`: its parameters may include some that are not the network's.
    """

    def __init__(self, net: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._net = net
        self._optimizer = optimizer
        self._kept: list[tuple[Tensor, Tensor]] = []
        self._buffers: list[tuple[Tensor, Tensor]] = []
        self._begun: list[tuple[Tensor, Tensor]] = []
        self._progress: Progress | None = None
        self._under_way = False

    def begin(self) -> None:
        """Copy what a forward pass writes to: running means and the like."""
        self._begun = [(buffer, buffer.detach().clone()) for buffer in self._net.buffers()]

    def keep(self, progress: Progress) -> None:
        """Copy what an update writes to, into the memory of the last copies if there are any."""
        tensors = self._tensors()
        with torch.no_grad():
            if [id(t) for t in tensors] == [id(t) for t, _ in self._kept]:
                for tensor, copy in self._kept:
                    copy.copy_(tensor)
            else:
                self._kept = [(t, t.detach().clone()) for t in tensors]
        self._buffers = self._begun
        self._progress = progress
        self._under_way = True

    def completed(self) -> None:
        """Say that the update is done."""
        self._under_way = False

    def put_back(self) -> Progress | None:
        """Undo the last update; return where the run stood before it, None if there was none."""
        if self._progress is None:
            return None
        known = {id(tensor) for tensor, _ in self._kept}
        _copy_back(self._kept + self._buffers)
        for parameter, state in list(self._optimizer.state.items()):
            if any(isinstance(v, Tensor) and id(v) not in known for v in state.values()):
                del self._optimizer.state[parameter]
        self._under_way = False
        return self._progress

    def interrupted(self) -> Progress | None:
        """Undo an update that is under way; otherwise only what a forward pass wrote."""
        if self._under_way:
            return self.put_back()
        _copy_back(self._begun)
        return None

    def _tensors(self) -> list[Tensor]:
        found: list[Tensor] = list(self._net.parameters())
        found += [p for group in self._optimizer.param_groups for p in group["params"]]
        for state in self._optimizer.state.values():
            found += [value for value in state.values() if isinstance(value, Tensor)]
        return list({id(tensor): tensor for tensor in found}.values())


def _copy_back(kept: list[tuple[Tensor, Tensor]]) -> None:
    with torch.inference_mode(False), torch.no_grad():
        for tensor, copy in kept:
            tensor.copy_(copy)
