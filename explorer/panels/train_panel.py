"""Training under the hand: a plan with its dials, its run, and what can be seen of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property

from ipywidgets import Box, VBox
from torch import nn

from explorer.compress.prune import Prune
from explorer.compress.recipe import Recipe
from explorer.compress.setting import Setting
from explorer.compress.share import Share
from explorer.measure.result import Result
from explorer.panels.reproduced_panel import ReproducedPanel, Results, none
from explorer.panels.tab import Tab
from explorer.panels.topic import Scene, Topic
from explorer.panels.train_setup import TrainSetup
from explorer.panels.train_views import TrainViews
from explorer.panels.train_words import failure_text, recovered_text
from explorer.session import Session
from explorer.session.live_recovery import LiveRecovery
from explorer.session.trainee import Trainee
from explorer.session.training import Training
from explorer.session.training_log import TrainingLog
from explorer.session.training_plan import TrainingPlan
from explorer.zoo.loaded import NETWORK_NAME_ATTRIBUTE

TRAIN = Topic("Train", "trains", (Prune(sparsity=0.5), Share(n_clusters=32)), (), ())
JOIN_S = 5.0
Use = Callable[[nn.Module, Recipe], None]


class TrainPanel(Tab):
    """The tab on training.

    Parameters
    ----------
    use : callable
        Called with a trained network, and the recipe that keeps it as it is, when the
        person wants to go on with it.
    say : callable
        Called with a sentence on live recovery, from its thread.
    results : callable
        Returns reproduced results, as `ReproducedPanel` takes them.

    Attributes
    ----------
    widget : Box
        Empty until the first `draw`.
    """

    topic = TRAIN

    def __init__(self, use: Use, say: Callable[[str], None], results: Results = none) -> None:
        self._use, self._results, self._lock = use, results, threading.RLock()
        self._shown = False
        self._session: Session | None = None
        self._layer = ""
        self._trainings: dict[type[TrainingPlan], Training] = {}
        self._recovery = LiveRecovery(
            lambda recovered: say(recovered_text(recovered)),
            lambda error: say(f"Not retrained: {failure_text(error)}"),
        )
        self.widget: Box = VBox()
        self.widget.add_class("ex-topic")

    @cached_property
    def setup(self) -> TrainSetup:
        """The plan and its dials; made when first needed."""
        pressed = {
            "start": self.start,
            "pause": lambda: self._tell(Training.pause),
            "resume": lambda: self._tell(Training.resume),
            "stop": lambda: self._tell(Training.stop),
            "use": self.use_trained,
        }
        return TrainSetup(self._redraw, self._turned, pressed)

    @cached_property
    def _table(self) -> ReproducedPanel:
        return ReproducedPanel(self._results)

    @cached_property
    def _views(self) -> TrainViews:
        return TrainViews(self.setup.card, self._table.card)

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
                self.widget.children = (self._views.widget,)

    def hide(self) -> None:
        """Draw nothing until the next `draw`: another tab is open."""
        self._shown = False

    def moved(self) -> None:
        """Stop live recovery: the recipe is changing."""
        self._recovery.stop()

    def completed(self, session: Session, result: Result) -> None:
        """Begin live recovery, where it is wanted: the recipe's figures are all there."""
        plan = self.setup.recovery if "setup" in vars(self) else None
        if plan is not None and result.accuracy is not None and not self.busy:
            self._recovery.start(session, result, plan)

    def start(self) -> None:
        """Begin a run of the plan; one that is under way stops."""
        session = self._session
        if session is None:
            return
        self._recovery.stop()
        for training in self._trainings.values():
            training.stop()
        self.setup.fail("")
        try:
            trainee = Trainee(session.net, session.data, session.compress, session.recipe)
        except ValueError as error:
            self.setup.fail(failure_text(error))
            return
        training = Training(self.setup.plan, trainee, self._heard, self._changed)
        self._trainings[type(self.setup.plan)] = training
        training.start()

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
        self._use(net, training.recipe_after)

    def forget(self) -> None:
        """End all runs, and drop what they made: another network is shown."""
        self._recovery.stop()
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
        self._recovery.close()
        for made in ("_views", "setup", "_table"):
            if made in vars(self):
                getattr(self, made).close()
        self.widget.close()

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
                self._views.draw_formulas(self.setup.plan, self._log())

    def _heard(self, training: Training) -> None:
        """Draw a run from its own thread, between two of its steps."""
        if self._shown and training is self.training:
            with self._lock:
                self._draw_views()
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
                self._draw_views()
            self.setup.draw(self.training)

    def _draw_views(self) -> None:
        self._views.draw(self.setup.plan, self._log(), self._layer)
