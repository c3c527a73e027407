"""The tab Distill: soft targets, students that learn from the page's network, and a family."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from ipywidgets import FloatSlider, Widget
from torch import nn

from explorer.compress.networks.recipe import Recipe
from explorer.experiments.distillation import DistillationContext, DistillationExperiment
from explorer.experiments.experiment import Experiment, TrainingContext
from explorer.experiments.lessons import UnseenClass, WrongLabels
from explorer.experiments.student_networks import makers
from explorer.experiments.students import ShapesCompared, StudentBesideStudent
from explorer.measure.formulas.formula import Formula
from explorer.measure.formulas.training import logits_loss, soft_loss
from explorer.measure.gallery import class_names
from explorer.measure.label_repair import BiasEffect, bias_effect
from explorer.measure.result import Result
from explorer.page.cards import Card, Topic
from explorer.page.family import FamilyPanel, Kin, fitting
from explorer.page.runs import Run, RunTab, Use, of
from explorer.page.soft_targets import SoftTargetsPanel
from explorer.page.words import distilled_text, table_of
from explorer.session import Session
from explorer.session.training import Training, TrainingLog
from explorer.train.data_variants import correct_bias
from explorer.train.targets import SoftTargets
from explorer.train.teacher import Answered, Answers
from explorer.views.formula import FormulaView
from explorer.views.images import CorrectedLabelsView
from explorer.views.students import BiasEffectView, ShapesView, StudentsView
from explorer.views.training_curves import RunAccuracyView

MOST_BIAS = 15.0
UNKNOWN = r"= \cdots"


def loss_formulas(run: Run) -> tuple[Formula, ...]:
    """Fill in the loss of the student on the teacher: of its last batch, once there is one."""
    plan = run.log.plan if run.log.newest is not None else run.plan
    if not isinstance(plan, DistillationExperiment):
        return ()
    told = run.log.parts().get(plan.lane_used, {})
    target = plan.target
    if isinstance(target, SoftTargets):
        known = "soft" in told or "hard" in told
        soft, hard = (told.get(part, 0.0 if known else math.nan) for part in ("soft", "hard"))
        return (_known(soft_loss(soft, hard, target.temperature, target.mix)),)
    return (_known(logits_loss(told.get("logits", math.nan))),)


def _known(formula: Formula) -> Formula:
    return formula if formula.filled else replace(formula, filled=UNKNOWN)


def labels_told(run: Run) -> Any:
    """Return which wrong labels the teacher put right; None before that is known."""
    return next(iter(run.log.found.get("labels", [])), None)


STUDENTS = Card(
    "Results",
    "at the end of training",
    "ex-distill-students",
    StudentsView,
    lambda run: table_of(run.log),
)
SHAPES = Card(
    "Shapes",
    "test error",
    "ex-distill-shapes",
    ShapesView,
    lambda run: table_of(run.log),
    shown=of(ShapesCompared),
)
ACCURACY = Card(
    "Accuracy",
    "on held-out samples",
    "ex-distill-lanes",
    RunAccuracyView,
    lambda run: run.log.curves(),
)
LOSS = Card(
    "Loss", "of the student on the teacher", "ex-distill-formula", FormulaView, loss_formulas
)
LABELS = Card(
    "Labels put right",
    "by a teacher that learned them",
    "ex-distill-labels",
    CorrectedLabelsView,
    labels_told,
    shown=of(WrongLabels),
)


class DistillTab(RunTab):
    """Students that learn from the page's network, and what it answers.

    `student` is a network of the person's own, of which copies learn where its width would be
    chosen.
    """

    heading = ("Distillation", "the page's network teaches")
    follows_dials = LOSS.title

    def __init__(self, use: Use, student: nn.Module | None = None) -> None:
        self._own = student
        beside, unseen = StudentBesideStudent(), UnseenClass()
        if student is not None:
            beside, unseen = replace(beside, width=None), replace(unseen, width=None)
        self.plans: tuple[Experiment, ...] = (beside, WrongLabels(), ShapesCompared(), unseen)
        self._answers: Answers | None = None
        self._complete: tuple[Session, Recipe] | None = None
        soft = Card(
            "Soft targets",
            "what the teacher knows",
            "ex-view-soft-targets",
            lambda: self.soft,
            lambda run: (self._answers, run.session.data),
        )
        self._family_card = Card(
            "Student and compression",
            "under this page's recipe",
            "ex-view-family",
            lambda: self.family,
            lambda _run: self._complete,
            shown=lambda _run: self._complete is not None and self.family.knows(self._complete[0]),
        )
        self._bias_card = Card(
            "Unseen class",
            "before and after its bias is raised",
            "ex-distill-bias",
            BiasEffectView,
            self.effect,
            shown=of(UnseenClass),
        )
        topic = Topic(
            "Distill",
            "lets a small network learn from the one shown",
            (),
            (self.setup_card,),
            (SHAPES, ACCURACY, LOSS, LABELS, self._bias_card),
            (STUDENTS, self._family_card),
            (soft,),
        )
        super().__init__(topic, use)

    @cached_property
    def soft(self) -> SoftTargetsPanel:
        """What the teacher answers at a temperature."""
        return SoftTargetsPanel()

    @cached_property
    def family(self) -> FamilyPanel:
        """Teacher and student under the page's recipe."""
        return FamilyPanel()

    @cached_property
    def bias(self) -> FloatSlider:
        """What is added to the bias of the class that a student never saw."""
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
        """The dial of the bias."""
        return {UnseenClass: self.bias}

    def take_up(self, session: Session) -> None:
        """Show what can be learned from another network, which is asked anew."""
        super().take_up(session)
        self._answers = None if session.data is None else Answers(session.net, session.data)

    def completed(self, session: Session, result: Result) -> None:
        """Weigh the family of what is shown under its recipe."""
        if self.is_open and session is self._session:
            with self._lock:
                self._complete = session, session.recipe
                self._draw([self._family_card], self._run())

    def trainee(self, session: Session) -> TrainingContext:
        """Return the teacher, with its answers where they are known."""
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
        """Say what a run that stands still came to."""
        return distilled_text(training)

    def hand_over(self, net: nn.Module, training: Training) -> None:
        """Show a student, with its bias raised if that was set, under the same recipe."""
        session = self._session
        if session is None:
            return
        plan = training.plan
        if isinstance(plan, UnseenClass) and self.bias.value and _answers_of(training.log):
            net = correct_bias(net, plan.label, float(self.bias.value))
        self.family.keep(Kin(session.net, net, session.data, metric=session.metric))
        self._use(net, fitting(session.recipe, net)[0], fresh=True)

    def effect(self, run: Run) -> BiasEffect | None:
        """Return what the dial of the bias does to the trained student; None without one."""
        told, plan = _answers_of(run.log), run.log.plan
        if told is None or not isinstance(plan, UnseenClass):
            return None
        names = class_names(run.session.data, told.logits.shape[1])
        return bias_effect(told.logits, told.labels, plan.label, float(self.bias.value), names)

    def forget(self) -> None:
        """End all runs, and drop what the teacher answered."""
        super().forget()
        self._answers = self._complete = None
        if self.boxes:
            self.soft.forget()
            self.bias.value = 0.0

    def _corrected(self) -> None:
        if self._session is not None:
            with self._lock:
                self.redraw(self._bias_card.title, self._run())

    def _changed(self, training: Training) -> None:
        super()._changed(training)
        if not training.active and training.usable and training in self._trainings.values():
            self.soft.teach(training.trained())


def _answers_of(log: TrainingLog) -> Answered | None:
    return next(iter(log.found.get("answers", [])), None)
