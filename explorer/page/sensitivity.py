"""Compare: sensitivity of each layer, and the recipe it suggests for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ipywidgets import Button, Checkbox, Dropdown, HBox, ToggleButtons

from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.setting import Setting
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.controls.help_text import explain
from explorer.measure.metric import ACCURACY
from explorer.measure.result import LayerFigures
from explorer.page.cards import Scene
from explorer.page.survey_bar import SurveyBar, samples_words
from explorer.session.survey import SensitivityJob, Survey
from explorer.sweep.dials import DIALS, LayerDial, Shape
from explorer.sweep.sensitivity import curve, literal
from explorer.views.format import value_text
from explorer.views.sensitivity import SensitivityPlot, SensitivityView
from explorer.views.sensitivity import value_text as dial_text
from explorer.widgets import View


def with_layer_dial(
    recipe: Recipe, layer: str, dial: LayerDial, value: float, shape: Shape
) -> Recipe:
    """Return a recipe with one layer's dial set; its other steps, and other layers, stay.

    Pruning takes the place of pruning, and any other dial that of the step that codes the
    layer's values; what says how these are written comes last, as before.

    `shape`: of the layer's matrix.
    """
    steps = _with(recipe.steps_for(layer), dial.kind, dial.steps(value, shape))
    name = literal(layer)
    others = tuple(entry for entry in recipe.entries if entry[0] != name)
    return Recipe(((name, steps), *others))


def dial_value(recipe: Recipe, row: LayerFigures, dial: LayerDial, shape: Shape) -> float | None:
    """Return where a layer's dial stands under a recipe; None where it has no such step.

    `row`: of the layer under that recipe. `shape`: of the layer's matrix.
    """
    step = next((s for s in recipe.steps_for(row.name) if isinstance(s, dial.kind)), None)
    if isinstance(step, Prune):
        return 1 - row.sparsity
    if isinstance(step, Quantize):
        return step.bits
    if isinstance(step, Share):
        return step.n_clusters
    if isinstance(step, LowRank) and step.rank is not None:
        return min(1.0, step.rank / min(shape))
    return None


def _with(steps: Steps, kind: type[Setting], new: Steps) -> Steps:
    kept = [step for step in steps if step.role != kind.role]
    if kind.role == "prunes":
        return (*new, *kept)
    place = next((i for i, step in enumerate(kept) if step.role == "writes"), len(kept))
    return (*kept[:place], *new, *kept[place:])


TITLES = {"density": "Pruning", "bits": "Bits", "k": "Sharing", "rank": "Rank"}


class SensitivityPanel(View):
    """A picker of dials, the plot, a picker of values for the chosen layer, and the run."""

    def __init__(
        self,
        select: Callable[[str], None],
        set_recipe: Callable[[Recipe], None],
        survey: Callable[[], Survey | None],
    ) -> None:
        self._select, self._set_recipe, self._survey = select, set_recipe, survey
        self._lock = threading.RLock()
        self._scene: Scene | None = None
        self._busy = False
        self._dial = ToggleButtons(options=[(TITLES[name], name) for name in DIALS])
        self._upper = Checkbox(value=False, description="Upper part only", indent=False)
        self._layer = Dropdown(description="Layer", options=[])
        self._value = Dropdown(description="Set to", options=[])
        self._set = Button(description="Set this layer", disabled=True)
        self._set.on_click(lambda _button: self._pressed())
        self._view = SensitivityView(select, self.set_layer)
        explain(self._dial, "What is turned in one layer at a time, the others left alone.")
        self._dial.tooltips = [f"{TITLES[name]} in one layer at a time." for name in DIALS]
        explain(self._upper, "Show only the upper part of the axis, where the curves differ.")
        explain(self._layer, "The layer whose steps the button changes.")
        explain(self._value, "The value for that layer, and the accuracy measured with it.")
        explain(self._set, "Give this layer that value as its own step; the others keep theirs.")
        self._bar = SurveyBar(SensitivityJob, self.start, survey, "Measure")
        choices, act = HBox([self._dial, self._upper]), HBox([self._layer, self._value, self._set])
        for box in (choices, act):
            box.add_class("ex-compare-choices")
        super().__init__([choices, self._view, act, self._bar], "ex-body")
        for control in (self._dial, self._upper):
            control.observe(lambda _change: self.draw(), "value")
        self._layer.observe(lambda _change: self._picked(), "value")

    @property
    def dial(self) -> LayerDial:
        """The dial that is shown; assign its name to choose another."""
        return DIALS[self._dial.value]

    @dial.setter
    def dial(self, name: str) -> None:
        self._dial.value = name

    def start(self) -> None:
        """Measure what is missing of the dial that is shown."""
        survey = self._survey()
        if survey is not None:
            survey.start(SensitivityJob(self.dial.name))

    def show(self, scene: Scene) -> None:
        """Take up what the page shows: the layer on screen, and where its dials stand."""
        before, self._scene = self._scene, scene
        if before is None or _seen(before, self.dial) != _seen(scene, self.dial):
            self.draw()

    def draw(self) -> None:
        """Draw all there is, from any thread."""
        with self._lock:
            self._draw_all()

    def _draw_all(self) -> None:
        scene, survey = self._scene, self._survey()
        self._bar.draw()
        if scene is None:
            return
        points = list(survey.sensitivities.values()) if survey is not None else []
        own = [point for point in points if point.dial == self.dial.name]
        layers = scene.session.layers
        accuracies = {
            name: {
                value: point.accuracy.value
                for value, point in curve(own, name).items()
                if point.accuracy is not None
            }
            for name in layers
        }
        original = scene.result.original_accuracy
        plot = SensitivityPlot(
            self.dial.name,
            layers,
            accuracies,
            scene.close_up.layer,
            _here(scene, self.dial),
            original.value if original else None,
            self._upper.value,
            samples_words(survey),
            ACCURACY if survey is None else survey.scale,
        )
        self._view.draw(plot)
        self._offer(plot)

    def set_layer(self, layer: str, value: float) -> None:
        """Set a layer's dial in the present recipe, and choose the layer."""
        scene = self._scene
        if scene is None:
            return
        shape = scene.session.matrix_shape(layer)
        recipe = with_layer_dial(scene.session.recipe, layer, self.dial, value, shape)
        if layer != scene.close_up.layer:
            self._select(layer)
        self._set_recipe(recipe)

    def forget(self) -> None:
        """Drop what belongs to the network that was shown."""
        self._scene = None

    def _offer(self, plot: SensitivityPlot) -> None:
        """Offer the layers, and the values measured of the chosen one."""
        named = [(name or "(the layer)", name) for name in plot.layers]
        layer, own = plot.layer, plot.accuracies.get(plot.layer, {})
        values = [
            (f"{dial_text(self.dial, value)}: {value_text(found, plot.scale)}", value)
            for value, found in own.items()
        ]
        self._busy = True
        try:
            if list(self._layer.options) != named:
                self._layer.options = named
            self._layer.value = layer
            if list(self._value.options) != values:
                kept = self._value.value
                self._value.options = values
                self._value.value = kept if kept in own else next(iter(own), None)
        finally:
            self._busy = False
        self._set.disabled = not values

    def _picked(self) -> None:
        if not self._busy and self._layer.value is not None:
            self._select(self._layer.value)

    def _pressed(self) -> None:
        if self._layer.value is not None and self._value.value is not None:
            self.set_layer(self._layer.value, self._value.value)


def _seen(scene: Scene, dial: LayerDial) -> tuple[object, ...]:
    """Return what of a scene the card shows."""
    judged = scene.result.original_accuracy is not None
    return scene.session, scene.close_up.layer, _here(scene, dial), judged


def _here(scene: Scene, dial: LayerDial) -> float | None:
    layer = scene.close_up.layer
    shape = scene.session.matrix_shape(layer)
    return dial_value(scene.session.recipe, scene.result[layer], dial, shape)
