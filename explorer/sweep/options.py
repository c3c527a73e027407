"""What each setting of a layer costs and loses; the loss of several predicted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from explorer.codec.header import Entry
from explorer.compress.methods.setting import Setting
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.measure.figures import figures
from explorer.measure.metric import Scale
from explorer.sweep.dials import DIALS
from explorer.sweep.measurement import Measurement
from explorer.sweep.sensitivity import SensitivityPoint
from explorer.sweep.solver import Budget, Choice, Front, Option

LEAST = 1e-9
MOST = 1e6
LARGEST_EXPONENT = 600.0


@dataclass(frozen=True)
class Toll:
    """Turns values into losses, and losses into values.

    A loss is the logarithm of how many times worse a value is. Where values are zero or
    negative it is the difference instead, relative to the original value.

    `original`: value of the network as it is. `least`: values nearer to zero than that count as
    that.
    """

    original: float
    scale: Scale
    least: float = LEAST
    logarithmic: bool = True

    @classmethod
    def of(cls, original: float, scale: Scale, values: Iterable[float], n: int) -> Toll:
        """Choose how values are compared; `n` samples judged each, 0 where that is not known."""
        known = [original, *values]
        if scale.share:
            return cls(original, scale, max(LEAST, 0.5 / max(1, n)))
        if min(known) > 0:
            return cls(original, scale, min(LEAST, *known))
        return cls(original, scale, logarithmic=False)

    def loss(self, value: float) -> float:
        """Return the loss of a value; negative where it is better than the original."""
        if not self.logarithmic:
            worse = self.scale.goodness(self.original) - self.scale.goodness(value)
            return min(max(worse / self._size, -MOST), MOST)
        ratio = math.log(max(self.original, self.least)) - math.log(max(value, self.least))
        return ratio if self.scale.higher_is_better else -ratio

    def value(self, loss: float) -> float:
        """Return the value that a loss leaves."""
        if not self.logarithmic:
            return self.scale.goodness(self.scale.goodness(self.original) - loss * self._size)
        return self.original * math.exp(min(self.scale.goodness(-loss), LARGEST_EXPONENT))

    @property
    def _size(self) -> float:
        return abs(self.original) or 1.0


FINE = tuple(
    percent / 100
    for percent in (2, 3, 4, 5.5, 7, 8.5, 10, 12.5, 15, 17.5, 20, 25, 30, 35, 40, 50, 60, 70, 85)
)


@dataclass(frozen=True)
class Losses:
    """What a dial costs in one layer, from the harshest value measured to the gentlest.

    `values`: shape (n,), ascending. `losses`: shape (n,); as `Toll` counts them, never negative,
    and nowhere more for a gentler value than for a harsher one: where samples say so, it is taken
    for chance.
    """

    values: np.ndarray
    losses: np.ndarray

    @classmethod
    def of(cls, judged: Mapping[float, float], toll: Toll) -> Losses:
        """Take accuracies, or a metric's values, by the dial's value."""
        values = np.array(sorted(judged))
        found = [toll.loss(judged[v]) for v in values.tolist()]
        gentle_first = np.maximum.accumulate(np.maximum(found, 0.0)[::-1])
        return cls(values, gentle_first[::-1])

    def at(self, value: float) -> float:
        """Return the loss of a value, on a straight line between those measured."""
        return float(np.interp(math.log(value), np.log(self.values), self.losses))


def toll_of(points: Iterable[SensitivityPoint]) -> Toll:
    """Return how the points' values are compared with that of the network as it is.

    Where that was not measured, the best of them takes its place.

    Raises ValueError if no point has an accuracy or score, or they are judged by different metrics.
    """
    known = list(points)
    judged = [(p.point.recipe, p.point.accuracy) for p in known if p.point.accuracy is not None]
    if not judged:
        failed = next((p.point.error_message for p in known if p.point.error_message), "")
        cure = f"each failed, the first by {failed}" if failed else "measure them on labeled data"
        raise ValueError(f"points: none of them has an accuracy; {cure}")
    scales = list(dict.fromkeys(accuracy.scale for _, accuracy in judged))
    if len(scales) > 1:
        names = ", ".join(scale.name for scale in scales)
        raise ValueError(f"points: judged by different metrics: {names}; give those of one")
    whole = [accuracy.value for recipe, accuracy in judged if not recipe.entries]
    values = [accuracy.value for _, accuracy in judged]
    original = max(whole or values, key=scales[0].goodness)
    return Toll.of(original, scales[0], values, max(accuracy.n for _, accuracy in judged))


def layer_losses(points: Iterable[SensitivityPoint]) -> dict[tuple[str, str], Losses]:
    """Return what each dial costs in each layer, by layer and dial.

    `points`: of one network and the same data or metric.
    """
    judged = [p for p in points if p.point.accuracy is not None]
    toll = toll_of(judged)
    found: dict[tuple[str, str], dict[float, float]] = {}
    for p in judged:
        if p.point.accuracy is not None:
            found.setdefault((p.layer, p.dial), {})[p.value] = p.point.accuracy.value
    return {key: Losses.of(own, toll) for key, own in found.items()}


@dataclass(frozen=True)
class Cost:
    """One setting of one layer, and what it would cost.

    `size_bytes`: exact bytes of the layer in the file. `loss`: predicted from the layer's
    sensitivities, in nats. `error`: squared Frobenius norm of the change, relative to that of the
    layer.
    """

    steps: Steps
    size_bytes: int
    loss: float
    error: float

    def total(self, caution: float) -> float:
        """Return the loss with `caution` nats for an error as large as the layer itself.

        Losses that samples do not show in one layer show when all layers change at once.
        """
        return self.loss + caution * self.error

    def option(self, caution: float) -> Option:
        """Return what the solver chooses among."""
        return Option(self.steps, self.size_bytes, self.total(caution))


def layer_costs(
    layers: Mapping[str, IndexedLayer], points: Iterable[SensitivityPoint]
) -> dict[str, list[Cost]]:
    """List settings of every layer: densities, shared values, and both, with none among them.

    Bytes are exact, from the layers' plans; nothing is rewritten. The loss of both steps
    together is taken for the sum of the two.

    `points`: over density, and over k; a layer without points is left alone.
    """
    losses = layer_losses(points)
    return {
        name: [
            Cost(steps, section_bytes(layer, steps), loss, _error(layer, steps))
            for steps, loss in _settings(losses.get((name, "density")), losses.get((name, "k")))
        ]
        for name, layer in layers.items()
    }


def section_bytes(layer: IndexedLayer, steps: Steps) -> int:
    """Return the exact bytes of a layer in the file, without rewriting it."""
    return Entry(layer.name, layer.shape, layer.dtype, layer.plan(steps).layout).n_bytes


def _error(layer: IndexedLayer, steps: Steps) -> float:
    """Return the squared Frobenius norm of the change relative to that of the layer."""
    norm = layer.ordering.squared_norm
    return max(0.0, layer.plan(steps).squared_error) / norm if steps and norm > 0 else 0.0


def _settings(density: Losses | None, k: Losses | None) -> list[tuple[Steps, float]]:
    prunes: list[tuple[Setting | None, float]] = [(None, 0.0)]
    shares: list[tuple[Setting | None, float]] = [(None, 0.0)]
    if density is not None and len(density.values):
        lowest = density.values[0]
        prunes += [(_step("density", d), density.at(d)) for d in FINE if d >= lowest]
    if k is not None:
        pairs = zip(k.values.tolist(), k.losses.tolist(), strict=True)
        shares += [(_step("k", value), loss) for value, loss in pairs]
    return [
        (tuple(step for step in (prune, share) if step is not None), one + other)
        for prune, one in prunes
        for share, other in shares
    ]


def _step(dial: str, value: float) -> Setting | None:
    return DIALS[dial].make(value, (1, 1))


USUAL = 0.03


class BudgetSolver:
    """Predicts bytes and accuracy of recipes that set every layer by itself.

    `points`: over density, over k, or both; measured before. `toll`: how losses are counted, from
    the accuracy or score of the network as it is.
    """

    def __init__(self, subject: Measurement, points: Iterable[SensitivityPoint]) -> None:
        known = list(points)
        self.toll = toll_of(known)
        self._subject = subject
        self._costs = layer_costs(subject.layers, known)
        self._fronts: dict[float, Front] = {}
        dense = sum(section_bytes(layer, ()) for layer in subject.layers.values())
        self._around = self.file_bytes(Recipe()) - dense

    def file_bytes(self, recipe: Recipe) -> int:
        """Return the exact bytes of a recipe's file; nothing is rewritten."""
        planned = self._subject.planner.plan(recipe)
        network = self._subject.network
        return figures(network, recipe, planned.steps, planned.plans()).size_bytes

    def predicted(self, choice: Choice) -> float:
        """Return the value that a choice lets expect: the layers' losses added up."""
        chosen = (
            next(cost for cost in self._costs[name] if cost.steps == steps)
            for name, steps in choice.steps.items()
        )
        return self.toll.value(sum(cost.total(USUAL) for cost in chosen))

    def allowed(self, budget: Budget) -> float:
        """Return the loss that a budget of accuracy, or of a metric's value, leaves."""
        goal = budget.accuracy
        return self.toll.loss(self.toll.original if goal is None else goal)

    def solve(self, budget: Budget, caution: float = USUAL) -> Choice:
        """Return the best choice by prediction; bytes are exact, header and biases included.

        `caution`: what a change as large as the layer costs at least, in nats.
        """
        if budget.size_bytes is None:
            return self.within_loss(self.allowed(budget))
        return self._within_bytes(budget.size_bytes, self._front(caution))

    def within_loss(self, loss: float) -> Choice:
        """Return the smallest choice whose losses add up to at most `loss`."""
        return self._exact(self._front(USUAL).within_loss(loss))

    def _front(self, caution: float) -> Front:
        if caution not in self._fronts:
            options = {
                name: [cost.option(caution) for cost in costs]
                for name, costs in self._costs.items()
            }
            self._fronts[caution] = Front(options, self._around)
        return self._fronts[caution]

    def _within_bytes(self, size_bytes: int, front: Front) -> Choice:
        """Ask for fewer bytes until the file, whose header depends on the recipe, fits."""
        allowed = size_bytes
        while True:
            found = front.within_bytes(allowed)
            choice = self._exact(found)
            if choice.size_bytes <= size_bytes or not found.met:
                return replace(choice, met=choice.size_bytes <= size_bytes)
            allowed = min(allowed - (choice.size_bytes - size_bytes), found.size_bytes - 1)

    def _exact(self, found: Choice) -> Choice:
        return replace(found, size_bytes=self.file_bytes(found.recipe))
