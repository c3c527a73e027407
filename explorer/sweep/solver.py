"""Which setting each layer takes, so that a budget is kept and least is lost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explorer.compress.networks.recipe import Recipe, Steps
from explorer.measure.metric import ACCURACY, Scale, finite
from explorer.sweep.sensitivity import literal

MAX_FRONT = 4096


@dataclass(frozen=True)
class Budget:
    """What a compressed network may cost; exactly one of the two is given.

    `size_bytes`: most bytes of the file; also what fits into a memory of that size. `accuracy`:
    least top-1 accuracy, a fraction in (0, 1]; of a metric the worst value allowed. `scale`: what
    `accuracy` means: by default top-1 accuracy, else that of a metric. Raises ValueError, TypeError
    if it is out of range, or not exactly one is given.
    """

    size_bytes: int | None = None
    accuracy: float | None = None
    scale: Scale = ACCURACY

    def __post_init__(self) -> None:
        if (self.size_bytes is None) == (self.accuracy is None):
            raise ValueError(
                "give exactly one of size_bytes and accuracy; got "
                f"size_bytes={self.size_bytes!r}, accuracy={self.accuracy!r}"
            )
        given = self.size_bytes if self.accuracy is None else self.accuracy
        if isinstance(given, bool) or not isinstance(given, (int, float)):
            raise TypeError(f"a budget must be a number; got {given!r}")
        if self.size_bytes is not None and not 0 < self.size_bytes < math.inf:
            raise ValueError(f"size_bytes must be positive; got {self.size_bytes!r}")
        if self.accuracy is not None and not self.scale.share:
            finite(self.accuracy, "accuracy")
        elif self.accuracy is not None and not 0 < self.accuracy <= 1:
            percent = 1 < self.accuracy <= 100
            cure = f"; it is a fraction: write {self.accuracy / 100:g}" if percent else ""
            raise ValueError(f"accuracy must be in (0, 1]; got {self.accuracy!r}{cure}")

    def allows(self, value: float) -> bool:
        """Whether an accuracy, or a metric's value, is good enough."""
        goal = self.accuracy
        return goal is None or self.scale.goodness(value) >= self.scale.goodness(goal)


@dataclass(frozen=True)
class Option:
    """One setting of one layer.

    `size_bytes`: bytes of the layer in the file. `loss`: what it costs, not negative: log(original
    accuracy / accuracy) in nats.
    """

    steps: Steps
    size_bytes: int
    loss: float


@dataclass(frozen=True)
class Choice:
    """A setting for every layer.

    `steps`: by layer. `size_bytes`: bytes of all layers together, and the fixed ones. `loss`: sum
    of the layers' losses. `met`: whether the budget is kept; if not, this is the nearest to it.
    """

    steps: Mapping[str, Steps]
    size_bytes: int
    loss: float
    met: bool

    @property
    def recipe(self) -> Recipe:
        """The recipe with an entry for each layer that has steps."""
        return Recipe(tuple((literal(name), own) for name, own in self.steps.items() if own))


class Front:
    """All choices that no other beats in both bytes and loss.

    Layers are added one after the other, and only what is not beaten is kept: that is
    exact. Where more than 4,096 choices are left, evenly spaced ones of them stay; what
    is found then still keeps its budget, but may lose a little more than it must.

    `options`: at least one for each layer. `fixed_bytes`: bytes that no layer's setting changes.
    Raises ValueError if a layer has no option, or a loss is negative or not finite.
    """

    def __init__(self, options: Mapping[str, Sequence[Option]], fixed_bytes: int = 0) -> None:
        _check(options)
        self._options = options
        self._fixed = fixed_bytes
        self._came: list[tuple[np.ndarray, np.ndarray]] = []
        self.sizes, self.losses = np.zeros(1, dtype=np.int64), np.zeros(1)
        for layer in options.values():
            self._add(layer)

    def solve(self, budget: Budget, original_accuracy: float = 1.0) -> Choice:
        """Return the choice of least loss within a size, or of least size within a loss.

        `budget`: an accuracy is predicted as ``original_accuracy * exp(-loss)``.
        """
        if budget.size_bytes is not None:
            return self.within_bytes(budget.size_bytes)
        return self.within_loss(math.log(original_accuracy / (budget.accuracy or 1.0)))

    def within_bytes(self, size_bytes: float) -> Choice:
        """Return the choice of least loss with at most so many bytes, else the smallest."""
        index = int(np.searchsorted(self.sizes + self._fixed, size_bytes, "right")) - 1
        return self._choice(max(index, 0), index >= 0)

    def within_loss(self, loss: float) -> Choice:
        """Return the smallest choice with at most this loss, else that of least loss."""
        index = int(np.searchsorted(-self.losses, -loss - 1e-12, "left"))
        return self._choice(min(index, len(self.losses) - 1), index < len(self.losses))

    def _add(self, layer: Sequence[Option]) -> None:
        """Combine every choice so far with every option of a layer."""
        sizes = np.array([option.size_bytes for option in layer], dtype=np.int64)
        losses = np.array([option.loss for option in layer])
        all_sizes = (self.sizes[:, None] + sizes).ravel()
        all_losses = (self.losses[:, None] + losses).ravel()
        kept = _thinned(_unbeaten(all_sizes, all_losses))
        self._came.append((kept // len(layer), kept % len(layer)))
        self.sizes, self.losses = all_sizes[kept], all_losses[kept]

    def _choice(self, index: int, met: bool) -> Choice:
        size, loss = int(self.sizes[index]) + self._fixed, float(self.losses[index])
        found: dict[str, Steps] = {}
        for (before, taken), (name, layer) in zip(
            reversed(self._came), reversed(list(self._options.items())), strict=True
        ):
            found[name] = layer[int(taken[index])].steps
            index = int(before[index])
        return Choice({name: found[name] for name in self._options}, size, loss, met)

    @cached_property
    def smallest(self) -> Choice:
        """The choice of fewest bytes."""
        return self._choice(0, True)


def solve(
    options: Mapping[str, Sequence[Option]],
    budget: Budget,
    original_accuracy: float = 1.0,
    fixed_bytes: int = 0,
) -> Choice:
    """Choose an option for every layer.

    `original_accuracy`: of the network as it is, a fraction in (0, 1]. `fixed_bytes`: bytes that no
    layer's setting changes: header, biases. Returns: of those that keep the budget, the one of
    least predicted loss, or of fewest bytes; where none keeps it, the nearest, with ``met`` False.
    Raises ValueError if a layer has no option, or a loss is negative or not finite.

    Examples
    --------
    >>> layer = (Option((), 100, 0.0), Option((), 40, 0.1))
    >>> choice = solve({"a": layer, "b": layer}, Budget(size_bytes=150))
    >>> choice.size_bytes, choice.loss
    (140, 0.1)
    """
    return Front(options, fixed_bytes).solve(budget, original_accuracy)


def _check(options: Mapping[str, Sequence[Option]]) -> None:
    if not options:
        raise ValueError("options: expected those of at least one layer, got none")
    for name, layer in options.items():
        if not layer:
            raise ValueError(f"options: layer {name!r} has none; give it at least one")
        for option in layer:
            if not (0 <= option.loss < math.inf) or option.size_bytes < 0:
                raise ValueError(
                    f"options: layer {name!r} has one of {option.size_bytes} bytes and loss "
                    f"{option.loss}; both must be finite and not negative"
                )


def _unbeaten(sizes: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Return the places of those that nothing beats, by rising size and falling loss."""
    order = np.lexsort((losses, sizes))
    sorted_losses = losses[order]
    best = np.minimum.accumulate(sorted_losses)
    kept = np.ones(len(order), dtype=bool)
    kept[1:] = sorted_losses[1:] < best[:-1]
    return order[kept]


def _thinned(places: np.ndarray) -> np.ndarray:
    if len(places) <= MAX_FRONT:
        return places
    return places[np.linspace(0, len(places) - 1, MAX_FRONT).round().astype(np.int64)]
