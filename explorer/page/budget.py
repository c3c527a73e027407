"""The card that finds a recipe for a budget."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from ipywidgets import FloatLogSlider, FloatSlider, FloatText, ToggleButtons

from explorer.compress.networks.recipe import Recipe
from explorer.controls.help_text import explain
from explorer.measure.metric import ACCURACY, Scale
from explorer.measure.result import Result
from explorer.page.survey_bar import SurveyBar
from explorer.session.survey import FitJob, Survey
from explorer.sweep.budget import Fitted
from explorer.sweep.solver import Budget
from explorer.views.budget import BudgetView, expected_words, outcome_words
from explorer.views.parts import HintView
from explorer.widgets import View, show

SMALLEST_SHARE = 200
FIRST_SHARE = 20
FIRST_DROP = 0.01
TAKEN_OVER = "Every layer gets steps of its own."
NOT_YET = (
    "Press Fit: the sensitivity of every layer is measured; then each one gets the density and "
    "number of shared values that suit the budget best, and the result is verified."
)


class BudgetPanel(View):
    """Dials of a budget, what it lets expect, the run, and the recipe that was found."""

    def __init__(
        self, set_recipe: Callable[[Recipe], None], survey: Callable[[], Survey | None]
    ) -> None:
        self._set_recipe, self._survey = set_recipe, survey
        self._lock = threading.RLock()
        self._layers: tuple[str, ...] = ()
        self._kind = ToggleButtons(
            options=[("File, or memory", "size"), ("Accuracy", "accuracy")], description="Budget"
        )
        self._size = FloatLogSlider(
            description="Limit (KB)", value=50.0, min=0.0, max=4.0, step=0.01, readout_format=".4g"
        )
        self._accuracy = FloatSlider(
            description="Limit (%)", value=97.0, min=1.0, max=100.0, step=0.1
        )
        self._value = FloatText(description="Limit", value=0.0)
        self._view = BudgetView()
        explain(self._kind, "The limit to meet: bytes of the file, or accuracy.")
        explain(self._size, "Largest file allowed: 1 KB = 1,000 bytes. Lower costs accuracy.")
        explain(self._accuracy, "Lowest accuracy allowed: right / all. Higher takes more bytes.")
        explain(self._value, "Worst value allowed of the metric. A better one takes more bytes.")
        self._bar = SurveyBar(FitJob, self.start, survey, "Fit")
        self._hint = HintView(self._use)
        body = [self._kind, self._size, self._accuracy, self._value, self._bar]
        body += [self._view, self._hint]
        super().__init__(body, "ex-body")
        for control in (self._kind, self._size, self._accuracy, self._value):
            control.observe(lambda _change: self.draw(), "value")

    @property
    def budget(self) -> Budget:
        """The budget that the dials stand for; assign to move them."""
        if self._kind.value == "size":
            return Budget(size_bytes=round(1000 * self._size.value))
        if not self._scale.share:
            return Budget(accuracy=self._value.value, scale=self._scale)
        return Budget(accuracy=round(self._accuracy.value / 100, 6))

    @budget.setter
    def budget(self, budget: Budget) -> None:
        if budget.size_bytes is not None:
            self._kind.value, self._size.value = "size", budget.size_bytes / 1000
        elif budget.accuracy is not None:
            self._kind.value = "accuracy"
            if budget.scale.share:
                self._accuracy.value = 100 * budget.accuracy
            else:
                self._value.value = budget.accuracy

    @property
    def _scale(self) -> Scale:
        survey = self._survey()
        return ACCURACY if survey is None else survey.scale

    def start(self) -> None:
        """Find a recipe for the budget."""
        survey = self._survey()
        if survey is not None:
            survey.start(FitJob(self.budget))

    def show(self, result: Result) -> None:
        """Take up another network: the dials span what its files may have."""
        self._layers = tuple(row.name for row in result.layers)
        low, high = (
            math.log10(result.original_bytes / share / 1000) for share in (SMALLEST_SHARE, 1)
        )
        with self._size.hold_sync():
            self._size.min = min(self._size.min, low)
            self._size.max = high
            self._size.min = low
            self._size.value = result.original_bytes / FIRST_SHARE / 1000
        self._kind.options = [("File, or memory", "size"), (self._scale.name, "accuracy")]
        original = result.original_accuracy
        if original is not None and original.scale.share:
            self._accuracy.value = 100 * max(0.01, original.value - FIRST_DROP)
        elif original is not None:
            worse = FIRST_DROP * (abs(original.value) or 1.0)
            goal = original.scale.goodness(original.scale.goodness(original.value) - worse)
            self._value.value = float(f"{goal:.4g}")

    def draw(self) -> None:
        """Draw all there is, from any thread."""
        with self._lock:
            self._draw_all()

    def _draw_all(self) -> None:
        by_size = self._kind.value == "size"
        show(self._size, by_size)
        for control, own in ((self._accuracy, True), (self._value, False)):
            show(control, not by_size and self._scale.share is own)
        self._bar.draw()
        fitted = self._fitted()
        words, recipe = (outcome_words(fitted), fitted.recipe) if fitted else self._expected()
        self._view.draw(words, recipe, self._layers)
        self._hint.shown = fitted is not None
        self._hint.draw(TAKEN_OVER, "Use this recipe")

    def _fitted(self) -> Fitted | None:
        survey = self._survey()
        return survey.fits.get(self.budget) if survey is not None else None

    def _expected(self) -> tuple[str, Recipe | None]:
        """Say what the budget lets expect, where the sensitivities are known."""
        survey, budget = self._survey(), self.budget
        expected = survey.predict(budget) if survey is not None else None
        if expected is None:
            return NOT_YET, None
        choice, accuracy = expected
        return expected_words(budget, choice, accuracy), choice.recipe

    def _use(self) -> None:
        fitted = self._fitted()
        if fitted is not None:
            self._set_recipe(fitted.recipe)
