"""What recipes that set every layer by itself would cost, predicted without measuring them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from explorer.compress.recipe import Recipe
from explorer.compress.resolve import layer_steps
from explorer.measure.figures import figures
from explorer.sweep.options import layer_costs, section_bytes, toll_of
from explorer.sweep.sensitivity import SensitivityPoint
from explorer.sweep.solver import Budget, Choice, Front
from explorer.sweep.subject import Subject

USUAL = 0.03


class BudgetSolver:
    """Predicts bytes and accuracy of recipes that set every layer by itself.

    Parameters
    ----------
    subject : Subject
    points : iterable of SensitivityPoint
        Over density, over k, or both; measured before.

    Attributes
    ----------
    toll : Toll
        How losses are counted, from the accuracy or score of the network as it is.
    """

    def __init__(self, subject: Subject, points: Iterable[SensitivityPoint]) -> None:
        known = list(points)
        self.toll = toll_of(known)
        self._subject = subject
        self._costs = layer_costs(subject.layers, known)
        self._fronts: dict[float, Front] = {}
        dense = sum(section_bytes(layer, ()) for layer in subject.layers.values())
        self._around = self.file_bytes(Recipe()) - dense

    def file_bytes(self, recipe: Recipe) -> int:
        """Return the exact bytes of a recipe's file; nothing is rewritten."""
        subject = self._subject
        steps = layer_steps(recipe, subject.layers)
        plans = {name: layer.plan(steps[name]) for name, layer in subject.layers.items()}
        return figures(subject.network, recipe, steps, plans).size_bytes

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

        Parameters
        ----------
        budget : Budget
        caution : float
            What a change as large as the layer costs at least, in nats.
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
