"""What came of a run of distillation, in words."""

from __future__ import annotations

from explorer.experiments.distillation import STUDENT
from explorer.measure.students import StudentResult, StudentTable, student_table
from explorer.panels.train_words import ENDED, outcome_text
from explorer.session.training import Training, TrainingLog
from explorer.views.images import corrected_text
from explorer.views.students import gain_text


def table_of(log: TrainingLog) -> StudentTable | None:
    """Put together what a run's networks came to; None before the first one ended."""
    graduates: list[StudentResult] = log.found.get(STUDENT, [])
    if not graduates:
        return None
    teachers: list[StudentResult] = log.found.get("teacher", [])
    pair = (log.plan.lanes[0], log.plan.lane_used)
    return student_table(teachers[0] if teachers else None, graduates, pair)


def distilled_text(training: Training) -> str:
    """Say what came of a run that stands still."""
    log = training.log
    table = table_of(log)
    if table is None:
        return outcome_text(training)
    parts = [f"{ENDED.get(training.state, 'So far')}: {gain_text(table)}"]
    parts += [corrected_text(each.corrected) for each in log.found.get("labels", [])]
    return " ".join(parts)
