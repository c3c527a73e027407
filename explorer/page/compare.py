"""The tab Compare: methods, layers, a budget and kept states side by side."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property

from ipywidgets import Widget

from explorer.compress.methods.setting import Setting
from explorer.compress.networks.recipe import Recipe
from explorer.measure.result import Result
from explorer.page.budget import BudgetPanel
from explorer.page.cards import Card, Scene, Tab, Topic
from explorer.page.methods import MethodPanel
from explorer.page.sensitivity import SensitivityPanel
from explorer.session import Session
from explorer.session.survey import MethodsJob, Survey
from explorer.views.parts import caption
from explorer.widgets import View

JOIN_S = 5.0
NO_DATA = (
    "There are no labeled samples to judge other recipes on; give the explorer some, as in "
    "Explorer(net, data)."
)


def _itself(_scene: Scene) -> tuple[()]:
    """Let a view draw what it has at hand."""
    return ()


class CompareTab(Tab):
    """Surveys of a network beside its recipe; `past` and `kept` are others' views, with cards."""

    def __init__(
        self,
        select: Callable[[str], None],
        set_recipe: Callable[[Recipe], None],
        fail: Callable[[str], None],
        past: Widget | None = None,
        kept: Widget | None = None,
    ) -> None:
        self._select_layer, self._set_recipe, self._fail = select, set_recipe, fail
        self._session: Session | None = None
        self._old: list[Survey] = []
        self.survey: Survey | None = None
        self._past, self._kept = (View([] if each is None else [each]) for each in (past, kept))
        methods = Card(
            "All methods",
            "accuracy over compression ratio",
            "ex-compare-methods",
            lambda: self.methods,
            _itself,
        )
        layers = Card(
            "Sensitivity of the layers",
            "one layer compressed at a time",
            "ex-compare-sensitivity",
            lambda: self.sensitivity,
            _itself,
        )
        budget = Card(
            "Fit a budget",
            "every layer set by itself",
            "ex-compare-budget",
            lambda: self.budget,
            _itself,
        )
        history = Card("History", "every state of this visit", "ex-past", lambda: self._past, None)
        states = Card("Kept states", "yours, to compare", "ex-bookmarks", lambda: self._kept, None)
        super().__init__(
            Topic(
                "Compare",
                "sets methods, layers and kept states side by side",
                (),
                (layers,),
                (budget, *((history,) if past is not None else ())),
                (states,) if kept is not None else (),
                (methods,),
            )
        )

    @cached_property
    def methods(self) -> MethodPanel:
        """Every method's curve."""
        return MethodPanel(self._use, lambda: self.survey)

    @cached_property
    def sensitivity(self) -> SensitivityPanel:
        """One layer at a time."""
        return SensitivityPanel(self._select, self._use, lambda: self.survey)

    @cached_property
    def budget(self) -> BudgetPanel:
        """A recipe for a limit."""
        return BudgetPanel(self._use, lambda: self.survey)

    @cached_property
    def _missing(self) -> View:
        return View([caption(NO_DATA)])

    def draw(self, scene: Scene, steps: tuple[Setting, ...]) -> None:
        """Take up what the page shows: network, layer, and where the recipe lies."""
        with self._lock:
            opened, self.is_open = not self.is_open, True
            if scene.session is not self._session:
                self._take_up(scene)
                opened = True
            self.methods.move(scene.result)
            self.sensitivity.show(scene)
            if opened:
                self.draw_cards(scene)

    def completed(self, session: Session, result: Result) -> None:
        """Move the present recipe's mark; measure all methods of a small network unasked."""
        with self._lock:
            if not self.is_open or session is not self._session:
                return
            self.methods.move(result)
            survey = self.survey
            if survey is not None and survey.job is None and session.is_quick(session.recipe):
                survey.start(MethodsJob())

    def forget(self) -> None:
        """End what runs, and drop what was measured: another network is shown."""
        with self._lock:
            if self.survey is not None:
                self.survey.close()
                self._old.append(self.survey)
            self.survey, self._session = None, None
            if self.boxes:
                self.methods.forget()
                self.sensitivity.forget()

    def close(self) -> None:
        """End what runs, and leave the page; the views of others stay."""
        self.forget()
        for survey in self._old:
            with suppress(TimeoutError):
                survey.join(JOIN_S)
        self._past.children = self._kept.children = ()
        super().close()

    def _all(self) -> list[Widget]:
        return [self._missing, *super()._all()]

    def _take_up(self, scene: Scene) -> None:
        """Begin with another session's network."""
        self.forget()
        session = self._session = scene.session
        if session.data is not None or session.metric is not None:
            self.survey = Survey(
                session.net,
                session.data,
                scene.result.original_bytes,
                self._heard,
                self._heard,
                session.input_shape,
                session.metric,
            )
        self._missing.shown = self.survey is None
        self.budget.show(scene.result)
        session.observe(lambda result: self._arrived(session, result))

    def _arrived(self, session: Session, result: Result) -> None:
        """Move the present recipe's mark with each estimate, from the session's thread."""
        if self.is_open and session is self._session:
            with self._lock:
                self.methods.move(result)

    def _heard(self, survey: Survey) -> None:
        """Draw what was measured, from the survey's thread."""
        if self.is_open and survey is self.survey:
            with self._lock:
                self.methods.draw()
                self.sensitivity.draw()
                self.budget.draw()

    def _select(self, layer: str) -> None:
        self._guarded(lambda: self._select_layer(layer))

    def _use(self, recipe: Recipe) -> None:
        self._guarded(lambda: self._set_recipe(recipe))

    def _guarded(self, action: Callable[[], None]) -> None:
        """Do something for the person; say what goes wrong in words."""
        try:
            action()
        except Exception as error:
            self._fail(f"{error} ({type(error).__name__})")
