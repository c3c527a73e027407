"""The card that a run is set up in, watched and ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ipywidgets import Dropdown, VBox, Widget

from explorer.closing import close_all
from explorer.controls.help_text import explain
from explorer.controls.setting import SettingControl
from explorer.experiments.experiment import Experiment
from explorer.panels.train_words import failure_text, outcome_text, progress_text, use_text
from explorer.session.background import State
from explorer.session.training import Training
from explorer.views.parts import HintView, caption, card
from explorer.views.run_bar import RunBar

HIDDEN = "ex-hidden"


class RunSetup:
    """A picker of plans, the plan's dials, the run's buttons, and what came of it.

    Parameters
    ----------
    plans : sequence of Experiment
        What there is to choose from, with the dials as they stand at first.
    heading : tuple of str
        The card's title, and a remark beside it.
    chosen : callable
        Called without arguments after another plan was chosen.
    turned : callable
        Called without arguments after a dial was turned.
    pressed : mapping of str to callable
        What the buttons of `RunBar` do, and ``"use"``.
    asides : mapping of type to Widget
        What else is shown below the dials of a kind of plan.
    outcome : callable
        Takes a `Training` that stands still to what came of it, in words.

    Attributes
    ----------
    card : VBox
    """

    def __init__(
        self,
        plans: Sequence[Experiment],
        heading: tuple[str, str],
        chosen: Callable[[], None],
        turned: Callable[[], None],
        pressed: Mapping[str, Callable[[], None]],
        asides: Mapping[type[Experiment], Widget],
        outcome: Callable[[Training], str] = outcome_text,
    ) -> None:
        self._changed, self._asides, self._outcome = chosen, asides, outcome
        options = [(plan.title, type(plan)) for plan in plans]
        self._mode = Dropdown(description="What", options=options)
        explain(self._mode, "What to train; each choice has its own dials, views and run.")
        self._mode.add_class("ex-train-mode")
        self._about, self._dials = caption(), VBox()
        self._controls = {type(plan): SettingControl(plan) for plan in plans}
        self._bar, self._hint = RunBar(pressed), HintView(pressed["use"])
        self._hint.widget.add_class("ex-train-use")
        body = [self._mode, self._about, self._dials, *asides.values()]
        body += [self._bar.widget, self._hint.widget]
        self.card = card(*heading, body, "ex-train-setup")
        self._show_plan()
        self._mode.observe(lambda _change: self._chosen(), "value")
        for control in self._controls.values():
            control.observe(lambda _change: turned(), "value")

    @property
    def plan(self) -> Experiment:
        """The plan that the dials stand for; assign to choose another."""
        return self._controls[self._mode.value].value

    @plan.setter
    def plan(self, plan: Experiment) -> None:
        self.set_plan_of(plan)
        self._mode.value = type(plan)

    def plan_of(self, kind: type[Experiment]) -> Experiment:
        """Return the plan of a kind as its dials stand, whether it is chosen or not."""
        return self._controls[kind].value

    def set_plan_of(self, plan: Experiment) -> None:
        """Move the dials of a plan's kind, whether it is chosen or not."""
        self._controls[type(plan)].value = plan

    def draw(self, training: Training | None) -> None:
        """Say how a run stands, and offer what can be done."""
        told = training is not None and training.still and training.log.newest is not None
        (self._hint.widget.remove_class if told else self._hint.widget.add_class)(HIDDEN)
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
        if told:
            use = use_text(training.plan) if training.usable else ""
            self._hint.draw(self._outcome(training), use)

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
        for kind, aside in self._asides.items():
            chosen = self._mode.value is kind
            (aside.remove_class if chosen else aside.add_class)(HIDDEN)
