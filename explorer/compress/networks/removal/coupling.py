"""Channels of a network that stand or fall together, and the layers that make them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn
from torch.nn.modules.conv import _ConvNd

NO_OBSTACLE = (9, "")


@dataclass(frozen=True, eq=False)
class Slot:
    """One side of a layer, and the parts of the network that its channels belong to.

    `name`: the layer's name, or a bare parameter's. `side`: one of "out", "in", "both"; rows,
    columns, or channels that pass through, as in a normalization. `produces`: whether it is the
    rows of a dense or convolutional layer. `parts`: int, one for each channel; the channels of all
    slots with the same number go together; -1 where a channel depends on nothing that can be
    removed. `axes`: state-dict keys, and the dimension of each along which the channels lie; the
    weight comes first.
    """

    name: str
    side: str
    produces: bool
    parts: np.ndarray
    axes: tuple[tuple[str, int], ...]

    def hit(self, parts: np.ndarray) -> np.ndarray:
        """Tell for each channel whether it belongs to one of `parts` (bool for each part)."""
        return (self.parts >= 0) & parts[self.parts]


@dataclass(frozen=True, eq=False)
class Family:
    """Parts that are made by the same layers.

    `producers`: names of the layers, in the network's order. `parts`: int. `obstacle`: why nothing
    can be removed; "" if something can.
    """

    producers: tuple[str, ...]
    parts: np.ndarray
    obstacle: str


@dataclass(frozen=True, eq=False)
class Coupling:
    """Slots and families of a network."""

    slots: tuple[Slot, ...]
    families: tuple[Family, ...]
    n_parts: int

    def families_of(self, parts: np.ndarray) -> list[int]:
        """Return the positions of the families that hold one of `parts` (bool for each part)."""
        return [i for i, family in enumerate(self.families) if parts[family.parts].any()]


def couple(
    slots: Iterable[Slot],
    obstacles: Iterable[tuple[tuple[int, str], np.ndarray]],
    n_parts: int,
    order: Iterable[str],
) -> Coupling:
    """Gather parts in families.

    `obstacles`: a rank, a reason, and the parts it holds for; of several reasons the one of lowest
    rank is told. `order`: names of the network's layers.
    """
    slots = tuple(slots)
    position = {name: i for i, name in enumerate(order)}
    producers: list[list[str]] = [[] for _ in range(n_parts)]
    for slot in sorted((s for s in slots if s.produces), key=lambda s: position[s.name]):
        for part in np.unique(slot.parts[slot.parts >= 0]):
            producers[part].append(slot.name)
    reasons = dict.fromkeys(range(n_parts), NO_OBSTACLE)
    for reason, parts in obstacles:
        for part in np.unique(parts):
            reasons[part] = min(reasons[part], reason)
    members: dict[tuple[str, ...], list[int]] = {}
    for part, layers in enumerate(producers):
        members.setdefault(tuple(layers), []).append(part)
    families = (
        Family(layers, np.array(parts), min(reasons[part] for part in parts)[1])
        for layers, parts in members.items()
    )
    return Coupling(slots, tuple(families), n_parts)


def is_layer(module: Any) -> bool:
    """Whether a module is a dense or convolutional layer."""
    return isinstance(module, (nn.Linear, _ConvNd))


def n_channels(layer: Any, side: str) -> int:
    """Return how many channels come in to a layer, or go out of it."""
    if isinstance(layer, nn.Linear):
        return layer.in_features if side == "in" else layer.out_features
    return layer.in_channels if side == "in" else layer.out_channels


def components(n: int, pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Mark the `n` nodes of a graph by connected component, given the ends of its edges."""
    labels = np.arange(n)
    if not pairs:
        return labels
    left, right = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    while (labels[left] != labels[right]).any():
        lowest = np.minimum(labels[left], labels[right])
        np.minimum.at(labels, labels[left], lowest)
        np.minimum.at(labels, labels[right], lowest)
        while (labels[labels] != labels).any():
            labels = labels[labels]
    return np.unique(labels, return_inverse=True)[1]
