"""Samples of a stream of batches, read once and held in memory, so that they have numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from explorer.compress.networks.forward import Inputs, first_rows, moved, rows, tensors_of
from explorer.measure.batches import batches

CPU = torch.device("cpu")


class HeldSamples(Dataset):
    """Inputs and labels of some batches, joined. `parts`: batches of equal form, at least one."""

    def __init__(self, parts: list[tuple[Inputs, Tensor]]) -> None:
        self.inputs = _joined([inputs for inputs, _ in parts])
        self.labels = torch.cat([labels for _, labels in parts])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Inputs, Tensor]:
        return rows(self.inputs, i), self.labels[i]


def hold(
    data: Any, n_most: int, most_bytes: int, should_stop: Callable[[], bool]
) -> tuple[HeldSamples, bool] | None:
    """Read a stream up to a number of samples and bytes.

    `n_most`, `most_bytes`: the first batch is kept in any case. `should_stop`: asked before each
    batch. Returns: the samples, and whether they are all there are; None where it was stopped.
    Raises ValueError if there is no sample.
    """
    kept: list[tuple[Inputs, Tensor]] = []
    n = n_bytes = 0
    whole = True
    for inputs, labels in batches(data, 256):
        if should_stop():
            return None
        size = sum(tensor.nbytes for tensor in tensors_of(inputs))
        if n >= n_most or (kept and n_bytes + size > most_bytes):
            whole = False
            break
        kept.append((moved(first_rows(inputs, n_most - n), CPU), labels[: n_most - n].cpu()))
        whole = len(labels) <= n_most - n
        n, n_bytes = n + len(kept[-1][1]), n_bytes + size
    if not n:
        raise ValueError("data: expected at least one labeled sample, got none")
    return HeldSamples(kept), whole


def _joined(parts: list[Inputs]) -> Inputs:
    first = parts[0]
    try:
        if isinstance(first, dict):
            return {name: torch.cat([part[name] for part in parts]) for name in first}
        if isinstance(first, tuple):
            return tuple(torch.cat(list(tensors)) for tensors in zip(*parts, strict=True))
        return torch.cat(parts)
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(
            f"data: batches cannot be joined, for their shapes differ: {error}. Pad the inputs to "
            "one size, or give a Dataset"
        ) from error
