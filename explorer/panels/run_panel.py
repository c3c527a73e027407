"""A tab on runs in the background: a plan with its dials, its run, and what can be seen of it."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import ClassVar, Protocol

from ipywidgets import Box, VBox, Widget
from torch import nn

from explorer.closing import close_all
from explorer.compress.methods.setting import Setting
from explorer.compress.networks.recipe import Recipe
from explorer.experiments.experiment import Experiment, TrainingContext
from explorer.panels.run_setup import RunSetup
from explorer.panels.run_views import Run, RunViews
from explorer.panels.tab import Tab
from explorer.panels.topic import Scene
from explorer.panels.train_words import failure_text, outcome_text
from explorer.session import Session
from explorer.session.training import Training
from explorer.session.training_log import TrainingLog
from explorer.zoo.loaded import NETWORK_NAME_ATTRIBUTE

JOIN_S = 5.0


class Use(Protocol):
    """What lets the page go on with a network."""

    def __call__(self, net: nn.Module, recipe: Recipe, fresh: bool = False) -> None:
        """Show a network under a recipe; a fresh one is no descendant of the one that is shown."""


class RunPanel(Tab):
    """A tab on runs, one for each plan; a plan's run goes on while others are looked at.

    Parameters
    ----------
    use : callable
        Called with a trained network, and the recipe that keeps it as it is, when the
        person wants to go on with it.

    Attributes
    ----------
    plans : tuple of Experiment
        What there is to choose from.
    heading : tuple of str
        Of the card that a run is set up in, and a remark beside it.
    """

    plans: tuple[Experiment, ...]
    heading: ClassVar[tuple[str, str]]

    def __init__(self, use: Use) -> None:
        self._use, self._lock = use, threading.RLock()
        self._shown = False
        self._session: Session | None = None
        self._layer = ""
        self._trainings: dict[type[Experiment], Training] = {}
        self.widget: Box = VBox()
        self.widget.add_class("ex-topic")

    @abstractmethod
    def make_views(self) -> RunViews:
        """Make the cards; the first of them is that of `setup`."""

    @property
    def asides(self) -> Mapping[type[Experiment], Widget]:
        """What else is shown below the dials of a kind of plan."""
        return {}

    @cached_property
    def setup(self) -> RunSetup:
        """The plan and its dials; made when first needed."""
        pressed = {
            "start": self.start,
            "pause": lambda: self._tell(Training.pause),
            "resume": lambda: self._tell(Training.resume),
            "stop": lambda: self._tell(Training.stop),
            "use": self.use_trained,
        }
        heard = (self._redraw, self._turned)
        return RunSetup(self.plans, self.heading, *heard, pressed, self.asides, self.outcome)

    @cached_property
    def views(self) -> RunViews:
        """The cards; made when first needed."""
        return self.make_views()

    @property
    def training(self) -> Training | None:
        """The last run of the plan that is shown."""
        return self._trainings.get(type(self.setup.plan))

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return any(training.active for training in self._trainings.values())

    def draw(self, scene: Scene, steps: tuple[Setting, ...]) -> None:
        """Take up what the page shows: its network, and the layer up close."""
        with self._lock:
            moved = not self._shown or scene.close_up.layer != self._layer
            if scene.session is not self._session:
                self.forget()
                moved = True
            self._session, self._layer, self._shown = scene.session, scene.close_up.layer, True
            if moved:
                self._redraw()
                self.widget.children = (self.views.widget,)

    def hide(self) -> None:
        """Draw nothing until the next `draw`: another tab is open."""
        self._shown = False

    def start(self) -> None:
        """Begin a run of the plan; one that is under way stops."""
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
        """Return what is trained; raises ValueError where there is nothing to train on."""
        return TrainingContext(
            session.net, session.data, session.compress, session.recipe, session.metric
        )

    def use_trained(self) -> None:
        """Hand over what the last run of the plan made."""
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
        """Let the page go on with what a run made."""
        self._use(net, training.recipe_after)

    def outcome(self, training: Training) -> str:
        """Say what came of a run that stands still."""
        return outcome_text(training)

    def forget(self) -> None:
        """End all runs, and drop what they made: another network is shown."""
        for training in self._trainings.values():
            training.close()
        self._trainings.clear()

    def close(self) -> None:
        """End the runs, and release the widgets."""
        trainings = list(self._trainings.values())
        self.forget()
        for training in trainings:
            with suppress(TimeoutError):
                training.join(JOIN_S)
        for made in ("views", "setup"):
            if made in vars(self):
                getattr(self, made).close()
        self.widget.children = ()
        close_all(self.widget)

    def turned(self, run: Run) -> None:
        """Draw what depends on the dials alone."""

    def _run(self) -> Run:
        return Run(self.setup.plan, self._log(), self._layer)

    def _tell(self, action: Callable[[Training], None]) -> None:
        if self.training is not None:
            action(self.training)

    def _log(self) -> TrainingLog:
        if self.training is not None:
            return self.training.log
        if self._session is None:
            raise RuntimeError("nothing is shown yet; draw a scene first")
        return TrainingLog(self.setup.plan, self._session.net)

    def _turned(self) -> None:
        with self._lock:
            if self._session is not None:
                self.turned(self._run())

    def _heard(self, training: Training) -> None:
        """Draw a run from its own thread, between two of its steps."""
        if self._shown and training is self.training:
            with self._lock:
                self.views.draw(self._run())
                self.setup.draw(training)

    def _changed(self, training: Training) -> None:
        if training is self.training:
            self._redraw()

    def _redraw(self) -> None:
        """Draw, but for the views of a run that is about to draw them by itself."""
        with self._lock:
            if not self._shown:
                return
            if self.training is None or self.training.still:
                self.views.draw(self._run())
            self.setup.draw(self.training)
