"""The card that a run of training is set up in, watched and ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipywidgets import Checkbox, Dropdown, VBox

from explorer.controls.setting_control import SettingControl
from explorer.panels.train_words import PLANS, failure_text, outcome_text, progress_text
from explorer.session.background import State
from explorer.session.recovery_plan import Recover
from explorer.session.training import Training
from explorer.session.training_plan import TrainingPlan
from explorer.views.caption import caption
from explorer.views.card import card
from explorer.views.closing import close_all
from explorer.views.hint import HintView
from explorer.views.run_bar import RunBar

HIDDEN = "ex-hidden"


class TrainSetup:
    """A picker of plans, the plan's dials, the run's buttons, and what came of it.

    Parameters
    ----------
    chosen : callable
        Called without arguments after another plan was chosen.
    turned : callable
        Called without arguments after a dial was turned.
    pressed : mapping of str to callable
        What the buttons of `RunBar` do, and ``"use"``.

    Attributes
    ----------
    card : VBox
    """

    def __init__(
        self,
        chosen: Callable[[], None],
        turned: Callable[[], None],
        pressed: Mapping[str, Callable[[], None]],
    ) -> None:
        self._changed = chosen
        options = [(plan.title, type(plan)) for plan in PLANS]
        self._mode = Dropdown(description="What", options=options)
        self._mode.add_class("ex-train-mode")
        self._about, self._dials = caption(), VBox()
        self._controls = {type(plan): SettingControl(plan) for plan in PLANS}
        self._keep = Checkbox(description="Keep retraining after each move", indent=False)
        self._keep.add_class("ex-train-keep")
        self._bar, self._hint = RunBar(pressed), HintView(pressed["use"])
        self._hint.widget.add_class("ex-train-use")
        body = [self._mode, self._about, self._dials, self._keep]
        body += [self._bar.widget, self._hint.widget]
        self.card = card("Training", "on samples to tune with", body, "ex-train-setup")
        self._show_plan()
        self._mode.observe(lambda _change: self._chosen(), "value")
        for control in self._controls.values():
            control.observe(lambda _change: turned(), "value")

    @property
    def plan(self) -> TrainingPlan:
        """The plan that the dials stand for; assign to choose another."""
        return self._controls[self._mode.value].value

    @plan.setter
    def plan(self, plan: TrainingPlan) -> None:
        self._controls[type(plan)].value = plan
        self._mode.value = type(plan)

    @property
    def recovery(self) -> Recover | None:
        """How to retrain after each move; None where that is not wanted."""
        return self._controls[Recover].value if self._keep.value else None

    @recovery.setter
    def recovery(self, plan: Recover | None) -> None:
        if plan is not None:
            self._controls[Recover].value = plan
        self._keep.value = plan is not None

    def draw(self, training: Training | None) -> None:
        """Say how a run stands, and offer what can be done."""
        usable = training is not None and training.still and bool(training.log.nets())
        (self._hint.widget.remove_class if usable else self._hint.widget.add_class)(HIDDEN)
        if training is not None and training.active:
            paused = training.state is State.PAUSED
            self._bar.offer("resume" if paused else "pause", "stop")
            self._bar.work(*progress_text(training))
        else:
            self._bar.offer("start")
            self._bar.rest("")
        if training is None:
            return
        self._bar.fail(failure_text(training.error) if training.error else "")
        if usable:
            lane = training.plan.lanes[0]
            use = f"Use the {lane} network" if lane else "Use this network"
            self._hint.draw(outcome_text(training), use)

    def fail(self, words: str) -> None:
        """Show an error in words; "" takes it away."""
        self._bar.fail(words)

    def close(self) -> None:
        """Release the widgets."""
        self._bar.close()
        self._hint.close()
        close_all(*self._controls.values(), self.card)

    def _chosen(self) -> None:
        self._show_plan()
        self._changed()

    def _show_plan(self) -> None:
        self._about.value = self.plan.about
        self._dials.children = (self._controls[self._mode.value],)
        recovers = self._mode.value is Recover
        (self._keep.remove_class if recovers else self._keep.add_class)(HIDDEN)
