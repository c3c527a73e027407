"""Runs and figures in words."""

from __future__ import annotations

from explorer.errors import error_message
from explorer.experiments.distillation import STUDENT
from explorer.experiments.experiment import Experiment
from explorer.experiments.pruning import CompareNorms, Regularize, Retrain
from explorer.experiments.recovery import Recover
from explorer.experiments.structure import DropNeurons, ShareWhileTraining
from explorer.history.figures import KeptFigures
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import ACCURACY, Score
from explorer.measure.students import StudentResult, StudentTable, student_table
from explorer.session.background import State
from explorer.session.live_recovery import Recovered
from explorer.session.training import Training, TrainingLog
from explorer.train.neurons import Dropped
from explorer.views.format import (
    DASH,
    at_least,
    count_text,
    energy_text,
    interval_text,
    percent_text,
    ratio_text,
    score_text,
    size_text,
)
from explorer.views.images import corrected_text
from explorer.views.students import gain_text

PLANS: tuple[Experiment, ...] = (
    Retrain(),
    Recover(),
    Regularize(),
    CompareNorms(),
    ShareWhileTraining(),
    DropNeurons(),
)
ENDED = {State.DONE: "Done", State.STOPPED: "Stopped", State.FAILED: "Ended early"}


def seconds_text(seconds: float) -> str:
    """Seconds in words, rounded to what can be told in advance: ``"12 s"``, ``"3 min"``."""
    return f"{max(1.0, seconds):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def progress_text(training: Training) -> tuple[str, float | None]:
    """Say how far a run is, and the part done; None where it has not begun."""
    record = training.log.newest
    if record is None:
        return "Judging the network before the first step\N{HORIZONTAL ELLIPSIS}", None
    parts = [f"Step {record.step:,} of {max(record.n_steps, record.step):,}"]
    if record.n_stages > 1:
        parts.append(f"{training.plan.stage} {record.stage + 1} of {record.n_stages}")
    if training.state is State.PAUSED:
        parts.append("paused")
    elif record.step:
        left_s = record.remaining_s * len(training.plan.lanes)
        parts.append(f"about {seconds_text(left_s)} left")
    return ", ".join(parts) + ".", record.step / max(1, record.n_steps)


def outcome_text(training: Training) -> str:
    """Say what came of a run that stands still."""
    log, state = training.log, training.state
    if log.newest is None:
        return ""
    head = ENDED.get(state, "So far")
    parts = [f"{head}: {_accuracies(log)}"]
    if log.reference is not None:
        parts.append(f"{log.plan.reference}: {score_text(log.reference)}")
    if isinstance(log.plan, Retrain):
        kept = next(iter(log.curves().density.values())).values[-1]
        parts.append(f"{percent_text(1 - float(kept))} of the weights are zero")
    if log.dropped is not None:
        parts.append(dropped_text(log.dropped))
    return "; ".join(part for part in parts if part) + "."


def dropped_text(dropped: Dropped) -> str:
    """Say which neurons went, and whether accuracy changed with them."""
    changed = [
        f"{name} has {after:,} of {before:,} neurons"
        for name, (before, after) in dropped.neurons.items()
        if after < before
    ]
    left = ", ".join(changed) or "no neuron came to nothing: raise the strengths or the threshold"
    if dropped.before is None or dropped.after is None:
        return left
    before, after = score_text(dropped.before), score_text(dropped.after)
    return f"{left}; {before} before the removal, {after} after it"


def recovered_text(recovered: Recovered) -> str:
    """Say how far live recovery has come."""
    name = "accuracy" if recovered.now.scale.share else recovered.now.name
    on = f" on {recovered.now.n:,} images" if recovered.now.n else ""
    before, now = score_text(recovered.before), score_text(recovered.now)
    return (
        f"Retrained for {recovered.elapsed_s:.1f} s: {name} {before} \N{RIGHTWARDS ARROW} {now}"
        f"{on}; zeros and shared values kept."
    )


def use_text(plan: Experiment) -> str:
    """Say on a button which network is handed over."""
    lane = plan.lane_used
    if not lane:
        return "Use this network"
    return f"Use the {lane}" if "student" in lane else f"Use the {lane} network"


def failure_text(error: BaseException) -> str:
    """Say what ended a run."""
    return error_message(error)


def _accuracies(log: TrainingLog) -> str:
    told = [
        f"{name + ' ' if name else ''}{_change(first, last)}"
        for name, (first, last) in log.accuracies().items()
        if first is not None and last is not None
    ]
    return ", ".join(told) if told else "not judged yet"


def _change(first: Accuracy | Score, last: Accuracy | Score) -> str:
    on = f" on {last.n:,} held-out samples" if last.n else ""
    return f"{score_text(first)} \N{RIGHTWARDS ARROW} {score_text(last)}{on}"


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


def figures_words(figures: KeptFigures | None) -> str:
    """Return size and accuracy in a line, such as ``"24.3 KB, 97.1%"``; "" for none."""
    if figures is None:
        return ""
    size = size_text(figures.size_bytes)
    accuracy = figures.accuracy
    return size if accuracy is None else f"{size}, {score_text(accuracy)}"


def figure_cells(figures: KeptFigures | None) -> list[str]:
    """Return size, ratio, accuracy with its interval, sparsity, operations and energy."""
    if figures is None:
        return [DASH] * 6
    least = at_least(figures.at_least)
    return [
        size_text(figures.size_bytes),
        ratio_text(figures.compression_ratio),
        accuracy_words(figures),
        percent_text(figures.sparsity),
        DASH if figures.macs is None else f"{least}{count_text(figures.macs)}",
        DASH if figures.energy_pj is None else f"{least}{energy_text(figures.energy_pj)}",
    ]


def accuracy_words(figures: KeptFigures) -> str:
    """Return what it was judged by: value, interval and number of samples, in a line."""
    known = figures.accuracy
    if known is None:
        return DASH
    of = "" if known.complete else f" of {known.n_total:,}"
    parts = [interval_text(known)] if interval_text(known) else []
    parts += [f"n = {known.n:,}{of}"] if known.n else []
    named = [known.name] if known.scale != ACCURACY else []
    guess = isinstance(known, Accuracy) and known.guesses
    told = ", ".join([*named, *parts, *(["guesses"] if guess else [])])
    return f"{score_text(known)} ({told})" if told else score_text(known)
