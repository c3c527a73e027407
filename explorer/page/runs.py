"""RunTab: a tab on which an experiment is chosen, its dials are set, and it is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

import traitlets
from ipywidgets import Dropdown, VBox, Widget
from torch import nn

from explorer.compress.methods.setting import Setting
from explorer.compress.networks.recipe import Recipe
from explorer.controls.help_text import explain
from explorer.controls.setting import SettingControl
from explorer.experiments.experiment import Experiment, TrainingContext
from explorer.page.cards import Card, Scene, Tab, Topic
from explorer.page.words import failure_text, outcome_text, progress_text, use_text
from explorer.session import Session
from explorer.session.background import State
from explorer.session.training import Training, TrainingLog
from explorer.views.parts import HintView, caption
from explorer.views.run_bar import RunBar
from explorer.widgets import View, show
from explorer.zoo.loaded import NETWORK_NAME_ATTRIBUTE

JOIN_S = 5.0


class Use(Protocol):
    """Shows another network; with ``fresh`` as the original, otherwise beside the first one."""

    def __call__(self, net: nn.Module, recipe: Recipe, fresh: bool = False) -> None:
        """Show it."""


@dataclass(frozen=True)
class Run:
    """What there is to see of a run.

    `plan`: as its dials stand now. `log`: what the last run has told, if there was one. `layer`:
    the layer on screen. `training`: the last run.
    """

    plan: Experiment
    log: TrainingLog
    layer: str
    session: Session
    training: Training | None = None


def of(*kinds: type[Experiment]) -> Callable[[Run], bool]:
    """Show a card with these experiments alone."""
    return lambda run: isinstance(run.plan, kinds)


class RunSetup(View):
    """Which experiment, its dials, the buttons of a run, and the words on what it came to.

    `asides` are further controls, by the experiment that they are shown with.
    """

    plan = traitlets.Any()

    def __init__(
        self,
        plans: Sequence[Experiment],
        asides: Mapping[type[Experiment], Widget],
        pressed: Mapping[str, Callable[[], None]],
    ) -> None:
        self._asides, self._is_showing = dict(asides), False
        options = [(plan.title, type(plan)) for plan in plans]
        self._mode = Dropdown(description="What", options=options)
        explain(self._mode, "What to train; each choice has its own dials, views and run.")
        self._mode.add_class("ex-train-mode")
        self._about, self._dials = caption(), VBox()
        self._controls = {type(plan): SettingControl(plan) for plan in plans}
        self._bar, self._hint = RunBar(pressed), HintView(pressed["use"])
        self._hint.add_class("ex-train-use")
        body = [self._mode, self._about, self._dials, *asides.values(), self._bar, self._hint]
        super().__init__(body, "ex-body", plan=plans[0])
        for control in (self._mode, *self._controls.values()):
            control.observe(self._turned, "value")

    def plan_of(self, kind: type[Experiment]) -> Experiment:
        """Return the experiment of a kind, as its dials stand."""
        return self._controls[kind].value

    def set_plan_of(self, plan: Experiment) -> None:
        """Move the dials of an experiment, without choosing it."""
        self._controls[type(plan)].value = plan

    def draw(self, training: Training | None, outcome: str = "") -> None:
        """Say how a run stands, offer what can be done, and say what it came to, if it did."""
        self._hint.shown = bool(outcome)
        if training is not None and training.active:
            paused = training.state is State.PAUSED
            self._bar.offer("resume" if paused else "pause", "stop")
            self._bar.work(*progress_text(training))
        else:
            self._bar.offer("start")
            self._bar.rest("")
        if training is None:
            return
        self.fail(failure_text(training.error) if training.error else "")
        if outcome:
            self._hint.draw(outcome, use_text(training.plan) if training.usable else "")

    def fail(self, words: str) -> None:
        """Show an error in words; "" takes it away."""
        self._bar.fail(words)

    def _turned(self, _change: Any) -> None:
        if not self._is_showing:
            self.plan = self._controls[self._mode.value].value

    @traitlets.observe("plan")
    def _show_plan(self, change: Any) -> None:
        plan, self._is_showing = change["new"], True
        try:
            self._mode.value = type(plan)
            self._controls[type(plan)].value = plan
        finally:
            self._is_showing = False
        self._about.value = plan.about
        self._dials.children = (self._controls[type(plan)],)
        for kind, aside in self._asides.items():
            show(aside, isinstance(plan, kind))


class RunTab(Tab):
    """A tab on experiments: their runs go on while other tabs are shown, each to be seen again.

    Controls and views are made when the tab is first drawn. A subclass says which experiments
    there are, the title and hint of their card, which card follows the dials, and gives its topic
    the cards, which are drawn from a `Run`.
    """

    plans: tuple[Experiment, ...]
    heading: ClassVar[tuple[str, str]]
    follows_dials: ClassVar[str]

    def __init__(self, topic: Topic, use: Use) -> None:
        self._use = use
        self._session: Session | None = None
        self._layer = ""
        self._trainings: dict[type[Experiment], Training] = {}
        super().__init__(topic)

    @property
    def asides(self) -> Mapping[type[Experiment], Widget]:
        """Further controls, by the experiment that they belong to."""
        return {}

    @cached_property
    def setup(self) -> RunSetup:
        """The experiment's dials and the buttons of its run."""
        pressed = {
            "start": self.start,
            "pause": lambda: self._tell(Training.pause),
            "resume": lambda: self._tell(Training.resume),
            "stop": lambda: self._tell(Training.stop),
            "use": self.use_trained,
        }
        made = RunSetup(self.plans, self.asides, pressed)
        made.observe(self._plan_changed, "plan")
        return made

    @cached_property
    def setup_card(self) -> Card:
        """The card of the setup."""
        return Card(*self.heading, "ex-train-setup", lambda: self.setup, self._progress)

    @property
    def experiment(self) -> Experiment | None:
        """The experiment as its dials stand."""
        return self.setup.plan

    @property
    def training(self) -> Training | None:
        """The last run of the experiment that is chosen."""
        return self._trainings.get(type(self.setup.plan))

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return any(training.active for training in self._trainings.values())

    def draw(self, scene: Scene, steps: tuple[Setting, ...]) -> None:
        """Show the runs of a network; another one ends those of the last."""
        with self._lock:
            moved = not self.is_open or scene.layer != self._layer
            if scene.session is not self._session:
                self.forget()
                self.take_up(scene.session)
                moved = True
            self._layer, self.is_open = scene.layer, True
            if moved:
                self._redraw()

    def take_up(self, session: Session) -> None:
        """Show another network from now on."""
        self._session = session

    def start(self) -> None:
        """Begin a run of the experiment; another one that is under way ends."""
        session = self._session
        if session is None:
            return
        for training in self._trainings.values():
            training.stop()
        self.setup.fail("")
        try:
            trainee = self.trainee(session)
        except (ValueError, TypeError) as error:
            self.setup.fail(failure_text(error))
            return
        training = Training(self.setup.plan, trainee, self._heard, self._changed)
        self._trainings[type(self.setup.plan)] = training
        training.start()

    def trainee(self, session: Session) -> TrainingContext:
        """Return what is trained of a session."""
        return TrainingContext(
            session.net, session.data, session.compress, session.recipe, session.metric
        )

    def use_trained(self) -> None:
        """Hand the trained network to the page."""
        training = self.training
        if training is None:
            return
        try:
            net = training.trained()
        except RuntimeError as error:
            self.setup.fail(str(error))
            return
        if training.log.dropped is not None:
            setattr(net, NETWORK_NAME_ATTRIBUTE, "")
        self.hand_over(net, training)

    def hand_over(self, net: nn.Module, training: Training) -> None:
        """Show a trained network on the page."""
        self._use(net, training.recipe_after)

    def outcome(self, training: Training) -> str:
        """Say what a run that stands still came to."""
        return outcome_text(training)

    def forget(self) -> None:
        """End all runs and drop what they trained."""
        for training in self._trainings.values():
            training.close()
        self._trainings.clear()

    def close(self) -> None:
        """End all runs, and leave the page."""
        trainings = list(self._trainings.values())
        self.forget()
        for training in trainings:
            with suppress(TimeoutError):
                training.join(JOIN_S)
        super().close()

    def _run(self) -> Run:
        if self._session is None:
            raise RuntimeError("nothing is shown yet; draw a scene first")
        plan, training = self.setup.plan, self.training
        log = TrainingLog(plan, self._session.net) if training is None else training.log
        return Run(plan, log, self._layer, self._session, training)

    def _progress(self, run: Run) -> tuple[Training | None, str]:
        training = run.training
        ended = training is not None and training.still and training.log.newest is not None
        return training, self.outcome(training) if training is not None and ended else ""

    def _tell(self, action: Callable[[Training], None]) -> None:
        if self.training is not None:
            action(self.training)

    def _plan_changed(self, change: Any) -> None:
        if type(change["new"]) is not type(change["old"]):
            self._redraw()
        elif self._session is not None:
            with self._lock:
                self.redraw(self.follows_dials, self._run())

    def _heard(self, training: Training) -> None:
        """Draw what a run told, while it is shown."""
        if self.is_open and training is self.training:
            with self._lock:
                self.draw_cards(self._run())

    def _changed(self, training: Training) -> None:
        """Offer what can be done with a run that was paused or has ended."""
        if training is self.training:
            self._redraw()

    def _redraw(self) -> None:
        """Draw what is shown anew; the network of a run that goes on is not looked into."""
        with self._lock:
            if not self.is_open:
                return
            if self.training is None or self.training.still:
                self.draw_cards(self._run())
            else:
                self._draw([self.setup_card], self._run())
