"""What came of a budget, in words, and what each layer gets."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.compress.networks.recipe import Recipe
from explorer.sweep.budget import Fitted
from explorer.sweep.solver import Budget, Choice
from explorer.views.format import ratio_text, score_text, size_text, value_text
from explorer.views.parts import caption
from explorer.views.tables import Table
from explorer.widgets import View

UNTOUCHED = "as it is"


class BudgetView(View):
    """A sentence on the outcome, and a table of the layers."""

    def __init__(self) -> None:
        self._caption = caption()
        self._table = Table("What each layer gets", "ex-table-words")
        super().__init__([self._caption, self._table])

    def draw(self, words: str, recipe: Recipe | None, layers: Sequence[str]) -> None:
        """Show what was found, or is expected."""
        self._caption.value = words
        if recipe is not None:
            rows = [(name, recipe.steps_for(name)) for name in layers]
            texts = [
                [name or "(the layer)", ", ".join(step.describe() for step in steps) or UNTOUCHED]
                for name, steps in rows
            ]
            self._table.show([("Layer", ""), ("Gets", "")], texts)


def budget_words(budget: Budget) -> str:
    """Say a budget: ``"at most 100.0 KB"``."""
    if budget.size_bytes is not None:
        return f"at most {size_text(budget.size_bytes)}"
    least = "at least" if budget.scale.higher_is_better else "at most"
    named = "" if budget.scale.share else f"{budget.scale.name} "
    return f"{named}{least} {value_text(budget.accuracy or 0.0, budget.scale)}"


def outcome_words(fitted: Fitted) -> str:
    """Say whether a budget is kept, and by what."""
    point, budget = fitted.point, fitted.budget
    measured = score_text(point.accuracy) if point.accuracy else "unknown accuracy"
    found = f"{size_text(point.size_bytes)} ({ratio_text(point.compression_ratio)}), {measured}"
    judged = f" on {point.accuracy.n:,} samples" if point.accuracy and point.accuracy.n else ""
    told = f"{found}{judged}; predicted: {value_text(fitted.predicted, budget.scale)}."
    if fitted.met:
        return f"Budget met, {budget_words(budget)}: {told}"
    return (
        f"{budget_words(budget).capitalize()} cannot be met by pruning and sharing without "
        f"retraining. The nearest: {told}"
    )


def expected_words(budget: Budget, choice: Choice, accuracy: float) -> str:
    """Say what a budget lets expect before it is verified."""
    told = f"{size_text(choice.size_bytes)}, about {value_text(accuracy, budget.scale)}"
    if not choice.met:
        return f"Predicted: {budget_words(budget)} cannot be met; the nearest is {told}."
    return f"Predicted for {budget_words(budget)}: {told}. Press Fit to verify."
