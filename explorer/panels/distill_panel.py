"""Distillation under the hand: soft targets at once, students in training, and both compressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from ipywidgets import FloatSlider, Widget
from torch import nn

from explorer.compress.methods.setting import Setting
from explorer.experiments.distillation import DistillationContext
from explorer.experiments.experiment import Experiment, TrainingContext
from explorer.experiments.lessons import UnseenClass, WrongLabels
from explorer.experiments.student_networks import makers
from explorer.experiments.students import ShapesCompared, StudentBesideStudent
from explorer.measure.gallery import class_names
from explorer.measure.label_repair import BiasEffect, bias_effect
from explorer.measure.result import Result
from explorer.panels.distill_views import SHOWN, VIEWS
from explorer.panels.distill_words import distilled_text
from explorer.panels.family_panel import FamilyPanel, Kin, fitting
from explorer.panels.run_panel import RunPanel, Use
from explorer.panels.run_views import Run, RunView, RunViews
from explorer.panels.soft_targets_panel import SoftTargetsPanel
from explorer.panels.topic import Scene, Topic
from explorer.session import Session
from explorer.session.training import Training
from explorer.train.data_variants import correct_bias
from explorer.train.teacher import Answered, Answers
from explorer.views.students import BiasEffectView

MOST_BIAS = 15.0


class DistillPanel(RunPanel):
    """The tab on distillation; the teacher is the page's network.

    Parameters
    ----------
    use : callable
        As for `RunPanel`; called with ``fresh=True``.
    student : Module, optional
        The person's own, in place of networks with two hidden layers. It is left unchanged.
    """

    topic = Topic("Distill", "lets a small network learn from the one shown", (), (), ())
    heading = ("Distillation", "the page's network teaches")

    def __init__(self, use: Use, student: nn.Module | None = None) -> None:
        super().__init__(use)
        self._own = student
        beside, unseen = StudentBesideStudent(), UnseenClass()
        if student is not None:
            beside, unseen = replace(beside, width=None), replace(unseen, width=None)
        self.plans: tuple[Experiment, ...] = (beside, WrongLabels(), ShapesCompared(), unseen)
        self._answers: Answers | None = None

    @cached_property
    def soft(self) -> SoftTargetsPanel:
        """The card on soft targets."""
        return SoftTargetsPanel()

    @cached_property
    def family(self) -> FamilyPanel:
        """The card on student and compression."""
        return FamilyPanel()

    @cached_property
    def bias(self) -> FloatSlider:
        """What is added to the bias of the unseen class."""
        slider = FloatSlider(
            description="Added to its bias", min=0.0, max=MOST_BIAS, step=0.1, readout_format=".1f"
        )
        slider.tooltip = (
            "Adds b to the trained student's score for the unseen class: z ← z + b. Higher: more "
            "samples are taken for that class; in the end, too many."
        )
        slider.add_class("ex-distill-bias")
        slider.observe(lambda _change: self._corrected(), "value")
        return slider

    @property
    def asides(self) -> Mapping[type[Experiment], Widget]:
        """The dial that puts a bias right."""
        return {UnseenClass: self.bias}

    def make_views(self) -> RunViews:
        """Make the cards: soft targets above all others, the family below."""
        bias = RunView(
            "bias",
            "Unseen class",
            "before and after its bias is raised",
            "right",
            BiasEffectView,
            self.effect,
        )
        first, last, top = self.setup.card, (self.family.card,), (self.soft.card,)
        return RunViews((*VIEWS, bias), SHOWN, first, last, "ex-distill", top)

    def draw(self, scene: Scene, steps: tuple[Setting, ...]) -> None:
        """Take up what the page shows; another network is asked for its answers."""
        with self._lock:
            another = scene.session is not self._session
            super().draw(scene, steps)
            if another:
                net, data = scene.session.net, scene.session.data
                self._answers = None if data is None else Answers(net, data)
                self.soft.bind(self._answers, data)

    def completed(self, session: Session, result: Result) -> None:
        """Compress and judge teacher and student, where the page shows one of them."""
        if self._shown and session is self._session:
            self.family.follow(session)

    def trainee(self, session: Session) -> TrainingContext:
        """Return the teacher with what makes students; raises ValueError where nothing fits."""
        logits = None if self._answers is None else self._answers.tune
        pupil = DistillationContext(
            session.net,
            session.data,
            session.compress,
            session.recipe,
            session.metric,
            own=self._own,
            logits=logits,
        )
        return replace(pupil, makers=makers(session.net, session.data))

    def outcome(self, training: Training) -> str:
        """Say what came of a run that stands still."""
        return distilled_text(training)

    def hand_over(self, net: nn.Module, training: Training) -> None:
        """Let the page go on with a student, its bias put right, under the page's recipe."""
        session = self._session
        if session is None:
            return
        plan = training.plan
        if isinstance(plan, UnseenClass) and self.bias.value and self._told(training.log.found):
            net = correct_bias(net, plan.label, float(self.bias.value))
        self.family.keep(Kin(session.net, net, session.data, metric=session.metric))
        self._use(net, fitting(session.recipe, net)[0], fresh=True)

    def effect(self, run: Run) -> BiasEffect | None:
        """Return what the dial of the bias does; None before the student is trained."""
        told, plan = self._told(run.log.found), run.log.plan
        if told is None or not isinstance(plan, UnseenClass) or self._session is None:
            return None
        names = class_names(self._session.data, told.logits.shape[1])
        return bias_effect(told.logits, told.labels, plan.label, float(self.bias.value), names)

    def turned(self, run: Run) -> None:
        """Draw the loss as the dials stand."""
        self.views.redraw("formula", run)

    def forget(self) -> None:
        """End all runs, and drop what belongs to the network that was shown."""
        super().forget()
        self._answers = None
        if "soft" in vars(self):
            self.soft.forget()
        if "bias" in vars(self):
            self.bias.value = 0.0

    def close(self) -> None:
        """End what runs, and release the widgets."""
        super().close()
        for made in ("soft", "family", "bias"):
            if made in vars(self):
                getattr(self, made).close()

    @staticmethod
    def _told(found: Mapping[str, list[Answered]]) -> Answered | None:
        return next(iter(found.get("answers", [])), None)

    def _corrected(self) -> None:
        with self._lock:
            if self._session is not None and "views" in vars(self):
                self.views.redraw("bias", self._run())

    def _changed(self, training: Training) -> None:
        super()._changed(training)
        if not training.active and training.usable and training in self._trainings.values():
            self.soft.teach(training.trained())
