"""All methods side by side, the layers one by one, and the recipe for a budget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property

from ipywidgets import Box, VBox

from explorer.closing import close_all
from explorer.compress.methods.setting import Setting
from explorer.compress.networks.recipe import Recipe
from explorer.measure.result import Result
from explorer.panels.budget_panel import BudgetPanel
from explorer.panels.method_panel import MethodPanel
from explorer.panels.sensitivity_panel import SensitivityPanel
from explorer.panels.tab import Tab
from explorer.panels.topic import Scene, Topic
from explorer.session import Session
from explorer.session.survey import Survey
from explorer.session.survey_jobs import MethodsJob
from explorer.views.layout import area
from explorer.views.parts import caption

COMPARE = Topic("Compare", "sets methods, layers and kept states side by side", (), (), ())
JOIN_S = 5.0
HIDDEN = "ex-hidden"
NO_DATA = (
    "There are no labeled samples to judge other recipes on; give the explorer some, as in "
    "Explorer(net, data)."
)


class ComparePanel(Tab):
    """The tab on comparing.

    Parameters
    ----------
    select : callable
        Called with a layer's name when it is chosen.
    set_recipe : callable
        Called with a `Recipe` that the person wants to go on with.
    fail : callable
        Called with words where one of these could not be done.
    extra : sequence of VBox
        Further cards, below; they belong to whoever made them.

    Attributes
    ----------
    widget : Box
        Empty until the first `draw`.
    survey : Survey or None
        What is measured of the network that is shown; None before it, and without data.
    """

    topic = COMPARE

    def __init__(
        self,
        select: Callable[[str], None],
        set_recipe: Callable[[Recipe], None],
        fail: Callable[[str], None],
        extra: Sequence[VBox] = (),
    ) -> None:
        self._select_layer, self._set_recipe, self._fail = select, set_recipe, fail
        self._extra = tuple(extra)
        self._lock = threading.RLock()
        self._shown = False
        self._session: Session | None = None
        self._old: list[Survey] = []
        self.survey: Survey | None = None
        self.widget: Box = VBox()
        self.widget.add_class("ex-topic")

    @cached_property
    def methods(self) -> MethodPanel:
        """The card with all curves; made when first needed."""
        return MethodPanel(self._use, lambda: self.survey)

    @cached_property
    def sensitivity(self) -> SensitivityPanel:
        """The card on the layers; made when first needed."""
        return SensitivityPanel(self._select, self._use, lambda: self.survey)

    @cached_property
    def budget(self) -> BudgetPanel:
        """The card for budgets; made when first needed."""
        return BudgetPanel(self._use, lambda: self.survey)

    @cached_property
    def _missing(self) -> Box:
        return VBox([caption(NO_DATA)])

    @cached_property
    def _column(self) -> Box:
        return area("column", [self.budget.card, *self._extra[:1]])

    @cached_property
    def _grid(self) -> Box:
        cards = [self.methods.card, self.sensitivity.card, self._column, *self._extra[1:]]
        return area("grid", cards)

    def draw(self, scene: Scene, steps: tuple[Setting, ...]) -> None:
        """Take up what the page shows: network, layer, and where the recipe lies."""
        with self._lock:
            opened, self._shown = not self._shown, True
            if scene.session is not self._session:
                self._take_up(scene)
                opened = True
            self.methods.move(scene.result)
            self.sensitivity.show(scene)
            if opened:
                self._draw_all()
                self.widget.children = (self._missing, self._grid)

    def completed(self, session: Session, result: Result) -> None:
        """Move the present recipe's mark; measure all methods of a small network unasked."""
        with self._lock:
            if not self._shown or session is not self._session:
                return
            self.methods.move(result)
            survey = self.survey
            if survey is not None and survey.job is None and session.is_quick(session.recipe):
                survey.start(MethodsJob())

    def hide(self) -> None:
        """Draw nothing until the next `draw`: another tab is open."""
        self._shown = False

    def forget(self) -> None:
        """End what runs, and drop what was measured: another network is shown."""
        with self._lock:
            if self.survey is not None:
                self.survey.close()
                self._old.append(self.survey)
            self.survey, self._session = None, None
            for made in ("methods", "sensitivity"):
                if made in vars(self):
                    getattr(self, made).forget()

    def close(self) -> None:
        """End what runs, and release the widgets, but for the cards of others."""
        self.forget()
        for survey in self._old:
            with suppress(TimeoutError):
                survey.join(JOIN_S)
        for made in ("methods", "sensitivity", "budget"):
            if made in vars(self):
                getattr(self, made).close()
        if "_grid" in vars(self):
            self._grid.children = self._column.children = ()
            close_all(self._grid, self._column, self._missing)
        close_all(self.widget)

    def _take_up(self, scene: Scene) -> None:
        """Begin with another session's network."""
        self.forget()
        session = self._session = scene.session
        if session.data is not None or session.metric is not None:
            bytes_ = scene.result.original_bytes
            told = (self._heard, self._changed)
            shape, metric = session.input_shape, session.metric
            self.survey = Survey(session.net, session.data, bytes_, *told, shape, metric)
        (self._missing.add_class if self.survey else self._missing.remove_class)(HIDDEN)
        self.budget.show(scene.result)
        session.observe(lambda result: self._arrived(session, result))

    def _arrived(self, session: Session, result: Result) -> None:
        """Move the present recipe's mark with each estimate, from the session's thread."""
        if self._shown and session is self._session:
            with self._lock:
                self.methods.move(result)

    def _heard(self, survey: Survey) -> None:
        """Draw what was measured, from the survey's thread."""
        if self._shown and survey is self.survey:
            with self._lock:
                self._draw_all()

    def _changed(self, survey: Survey) -> None:
        self._heard(survey)

    def _draw_all(self) -> None:
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
