"""The card with every method's curve."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ipywidgets import Button, Checkbox, Dropdown, HBox, ToggleButtons

from explorer.compress.networks.recipe import Recipe
from explorer.controls.help_text import explain
from explorer.measure.metric import ACCURACY
from explorer.measure.result import Result
from explorer.page.survey_bar import SurveyBar, samples_words
from explorer.session.survey import MethodsJob, Survey
from explorer.sweep.curves import CurvePoint, reading
from explorer.views.format import ratio_text, score_text
from explorer.views.method_curves import MethodCurvesView, MethodPlot, setting_of, title_of
from explorer.widgets import View


class MethodPanel(View):
    """Toggles, the plot, what can be done with its best points, and the run."""

    def __init__(
        self, set_recipe: Callable[[Recipe], None], survey: Callable[[], Survey | None]
    ) -> None:
        self._set_recipe, self._survey = set_recipe, survey
        self._lock = threading.RLock()
        self._result: Result | None = None
        self._metric = ToggleButtons(
            options=[("Top-1", "top1"), ("Top-5", "top5")], tooltip="Which accuracy is shown."
        )
        self._retrained = Checkbox(value=True, description="With retraining", indent=False)
        self._upper = Checkbox(value=True, description="Upper part only", indent=False)
        self._pick = Dropdown(description="Best points", options=[])
        self._pick.add_class("ex-compare-pick")
        self._use = Button(description="Use this recipe", disabled=True)
        self._use.on_click(lambda _button: self._chosen())
        self._view = MethodCurvesView(self._ringed)
        explain(self._retrained, "Measure and show networks that were briefly retrained, too.")
        explain(self._upper, "Show only the upper part of the axis, where the curves differ.")
        explain(self._pick, "Points that no other point beats in both bytes and accuracy.")
        explain(self._use, "Move the dials to the recipe of the chosen point.")
        self._metric.tooltips = [
            "Share of samples whose likeliest answer is right.",
            "Share of samples whose right answer is among the five likeliest.",
        ]
        self._bar = SurveyBar(MethodsJob, self.start, survey, "Measure")
        choices, act = (
            HBox([self._metric, self._retrained, self._upper]),
            HBox([self._pick, self._use]),
        )
        choices.add_class("ex-compare-choices")
        act.add_class("ex-compare-choices")
        super().__init__([choices, self._bar, self._view, act, self._view.table], "ex-body")
        for control in (self._metric, self._retrained, self._upper):
            control.observe(lambda _change: self.draw(), "value")

    def start(self) -> None:
        """Measure what is missing."""
        survey = self._survey()
        if survey is not None:
            survey.start(MethodsJob(retrained=self._retrained.value and survey.can_train))

    def draw(self) -> None:
        """Draw all there is, from any thread."""
        with self._lock:
            self._draw_all()

    def _draw_all(self) -> None:
        survey = self._survey()
        self._retrained.disabled = survey is None or not survey.can_train
        points = tuple(survey.curves.values()) if survey is not None else ()
        plot = MethodPlot(
            points,
            self._metric.value,
            self._original(),
            self._retrained.value,
            self._upper.value,
            samples_words(survey),
            ACCURACY if survey is None else survey.scale,
        )
        self._metric.disabled = not plot.scale.share
        self._view.draw(plot)
        self._offer()
        self._place()
        self._bar.draw()

    def move(self, result: Result) -> None:
        """Move the mark of the present recipe; it waits where it is for the accuracy."""
        self._result = result
        self._place()

    def forget(self) -> None:
        """Drop the present recipe."""
        self._result = None
        self._view.move(1.0, None)

    def _original(self) -> float | None:
        accuracy = self._result.original_accuracy if self._result else None
        return reading(accuracy, self._metric.value) if accuracy else None

    def _place(self) -> None:
        result = self._result
        if result is not None and result.accuracy is not None:
            accuracy = reading(result.accuracy, self._metric.value)
            self._view.move(result.compression_ratio, accuracy)

    def _offer(self) -> None:
        """Offer the points that no other beats, the most accurate first."""
        options = [(_words(point), i) for i, point in enumerate(self._view.best)]
        if list(self._pick.options) != options:
            kept = self._pick.value
            self._pick.options = options
            if options:
                self._pick.value = kept if kept is not None and kept < len(options) else 0
        self._use.disabled = not options

    def _ringed(self, point: CurvePoint) -> None:
        """Take a point that was clicked for the one that is picked, and use it."""
        self._pick.value = self._view.best.index(point)
        self._chosen()

    def _chosen(self) -> None:
        index = self._pick.value
        if index is not None and index < len(self._view.best):
            self._set_recipe(self._view.best[index].point.recipe)


def _words(point: CurvePoint) -> str:
    accuracy = point.point.accuracy
    judged = score_text(accuracy) if accuracy else ""
    ratio = ratio_text(point.point.compression_ratio)
    return f"{ratio}, {judged}: {title_of(point)}, {setting_of(point)}"
