"""The views of a run of distillation, and which of them a plan shows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from explorer.experiments.distillation import DistillationExperiment
from explorer.experiments.experiment import Experiment
from explorer.experiments.lessons import UnseenClass, WrongLabels
from explorer.experiments.students import ShapesCompared, StudentBesideStudent
from explorer.measure.formulas.formula import Formula
from explorer.measure.formulas.training import logits_loss, soft_loss
from explorer.panels.distill_words import table_of
from explorer.panels.run_views import Run, RunView
from explorer.train.targets import SoftTargets
from explorer.views.formula import FormulaView
from explorer.views.images import CorrectedLabelsView
from explorer.views.students import ShapesView, StudentsView
from explorer.views.training_curves import RunAccuracyView

SHOWN: dict[type[Experiment], tuple[str, ...]] = {
    StudentBesideStudent: ("lanes", "students", "formula"),
    WrongLabels: ("lanes", "students", "labels", "formula"),
    ShapesCompared: ("lanes", "shapes", "students", "formula"),
    UnseenClass: ("lanes", "students", "bias", "formula"),
}
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


def shapes(run: Run) -> Any:
    """Return the results by shape; None before the first one."""
    return table_of(run.log)


VIEWS = (
    RunView("shapes", "Shapes", "test error", "right", ShapesView, shapes),
    RunView(
        "lanes",
        "Accuracy",
        "on held-out samples",
        "right",
        RunAccuracyView,
        lambda run: run.log.curves(),
    ),
    RunView(
        "formula",
        "Loss",
        "of the student on the teacher",
        "right",
        FormulaView,
        loss_formulas,
    ),
    RunView(
        "students",
        "Results",
        "at the end of training",
        "wide",
        StudentsView,
        lambda run: table_of(run.log),
    ),
    RunView(
        "labels",
        "Labels put right",
        "by a teacher that learned them",
        "right",
        CorrectedLabelsView,
        labels_told,
    ),
)
