"""Which parts of a network go: those of smallest norm, and dead ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explorer.compress.methods.neurons import PruneNeurons, smallest
from explorer.compress.networks.removal.coupling import Coupling, Family, Slot

FEW = 16


@dataclass(frozen=True)
class Choice:
    """What goes.

    `gone`: bool, one for each part. `notes`: for layers with a step that lose nothing, the reason.
    """

    gone: np.ndarray
    notes: Mapping[str, str]


def chosen(
    net: nn.Module,
    coupling: Coupling,
    steps: Mapping[str, PruneNeurons],
    rejected: Mapping[int, str],
) -> Choice:
    """Choose the parts that go.

    `rejected`: positions of families that must not be touched, and the reasons.
    """
    rows = {slot.name: slot for slot in coupling.slots if slot.produces}
    unread = _unread(net, coupling)
    gone = np.zeros(coupling.n_parts, bool)
    notes: dict[str, str] = {}
    for position, family in enumerate(coupling.families):
        pruned = [name for name in family.producers if name in steps]
        if not pruned:
            continue
        if obstacle := family.obstacle or rejected.get(position, ""):
            notes |= dict.fromkeys(pruned, obstacle)
            continue
        if missing := [name for name in family.producers if name not in steps]:
            notes |= dict.fromkeys(pruned, f"coupled with {_listed(missing)}, which is not pruned")
            continue
        step = min((steps[name] for name in pruned), key=lambda step: step.fraction)
        parts = _going(net, family, [rows[name] for name in family.producers], step, unread)
        gone[parts] = True
        if not parts.size and step.fraction:
            count = f"{100 * step.fraction:.3g}% of {family.parts.size}"
            notes |= dict.fromkeys(pruned, f"{count} removable neurons are less than one")
    return Choice(gone, notes)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _going(
    net: nn.Module, family: Family, rows: list[Slot], step: PruneNeurons, unread: np.ndarray
) -> np.ndarray:
    """Return the parts of a family that go."""
    scores = np.zeros(unread.size)
    sources = np.zeros(unread.size)
    power = 1 if step.norm == "l1" else 2
    for slot in rows:
        norms = _row_norms(net, slot, step) ** power
        inside = slot.parts >= 0
        np.add.at(scores, slot.parts[inside], norms[inside])
        if slot.side == "out":
            np.add.at(sources, slot.parts[inside], norms[inside])
    if not any(slot.side == "out" for slot in rows):
        sources = scores
    mine = scores[family.parts]
    goes = (sources[family.parts] == 0) | unread[family.parts]
    goes[smallest(torch.from_numpy(mine), step.count(mine.size)).numpy()] = True
    if goes.all():
        goes[np.argmax(mine)] = False
    return family.parts[goes]


def _row_norms(net: nn.Module, slot: Slot, step: PruneNeurons) -> np.ndarray:
    layer: Any = net.get_submodule(slot.name)
    axis = slot.axes[0][1]
    return step.norms(layer.weight.movedim(axis, 0).flatten(1)).cpu().numpy()


def _unread(net: nn.Module, coupling: Coupling) -> np.ndarray:
    """Bool for each part: whether every weight that reads it is zero."""
    read = np.zeros(coupling.n_parts, bool)
    reached = np.zeros(coupling.n_parts, bool)
    for slot in coupling.slots:
        if slot.side != "in":
            continue
        inside = slot.parts >= 0
        reached[slot.parts[inside]] = True
        read[slot.parts[inside & column_use(net.get_submodule(slot.name))]] = True
    return reached & ~read


def column_use(layer: Any) -> np.ndarray:
    """Bool for each input channel of a layer: whether any weight reads it."""
    weight = layer.weight.detach()
    if getattr(layer, "transposed", False):
        return _any_nonzero(weight.flatten(1))
    groups = getattr(layer, "groups", 1)
    blocks = weight.reshape(groups, -1, weight.shape[1], weight[0, 0].numel())
    return _any_nonzero(blocks.movedim(2, 1).flatten(0, 1).flatten(1))


def _any_nonzero(rows: Tensor) -> np.ndarray:
    """Bool for each row; most rows show it in their first few entries."""
    found = rows[:, :FEW].any(1)
    left = (~found).nonzero().flatten()
    found[left] = rows[left].any(1)
    return found.cpu().numpy()
