"""The recipe that meets a budget: predicted from each layer's sensitivity, then verified."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from explorer.compress.networks.recipe import Recipe
from explorer.measure.metric import ACCURACY, Metric, as_metric
from explorer.stopping import never
from explorer.sweep.measurement import Measurement
from explorer.sweep.options import USUAL, BudgetSolver
from explorer.sweep.point import Hear, Point, unheard
from explorer.sweep.sensitivity import SensitivityPoint, sensitivity
from explorer.sweep.solver import Budget, Choice

DIALS = ("density", "k")
N_TRIES = 8
WIDEST = 8.0
CAUTIONS = (USUAL, 0.3, 1.0, 0.003)


@dataclass(frozen=True)
class Fitted:
    """The recipe found for a budget.

    Attributes
    ----------
    budget : Budget
    recipe : Recipe
    point : Point
        Its bytes and accuracy, measured.
    predicted : float
        The top-1 accuracy, or the metric's value, that the layers' sensitivities had let expect.
    met : bool
        Whether the budget is kept; if not, this is the nearest that was found.
    n_tries : int
        Recipes that were measured.
    """

    budget: Budget
    recipe: Recipe
    point: Point
    predicted: float
    met: bool
    n_tries: int


def fit_budget(
    net: nn.Module,
    data: Any,
    *,
    size_bytes: int | None = None,
    accuracy: float | None = None,
    points: Iterable[SensitivityPoint] | None = None,
    executor: Executor | None = None,
    store: str | Path | None = None,
    should_stop: Callable[[], bool] | None = None,
    progress: Hear = unheard,
    metric: Metric | Callable[[nn.Module], Any] | None = None,
) -> Fitted:
    """Find a recipe for a budget: how much of each layer to keep, and with how many values.

    Each layer is pruned, shared, both or neither. What that costs is predicted from the
    sensitivities of the layers one by one, as a sum of logarithms, and the choice is the
    best by that prediction; then it is really measured. A size is kept exactly. An accuracy
    that the prediction misses is approached by bisection of the loss that is allowed.
    The recipe is chosen on the samples that it is then judged on, which flatters it a little.

    Parameters
    ----------
    net : Module
        Left unchanged.
    data : Data, Dataset, iterable of batches, or None
        What accuracy is measured on; of a `Data` its ``eval`` part. None where a metric judges.
    size_bytes : int, optional
        Most bytes of the file.
    accuracy : float, optional
        Least top-1 accuracy, a fraction; with a metric its worst value allowed, which is the
        highest where lower is better. Exactly one of the two is given.
    points : iterable of SensitivityPoint, optional
        What `sensitivity` yielded for the dials ``"density"`` and ``"k"`` on the same
        network and data; measured first where it is not given.
    executor, store, should_stop, progress
        As for `sweep`, for that measurement.
    metric : Metric or callable, optional
        Judges in place of the data.

    Returns
    -------
    Fitted
        ``met`` says whether the budget is kept; if not, it is the nearest found.

    Raises
    ------
    ValueError, TypeError
        If the budget is out of range, or there is neither data nor a metric.
    RuntimeError
        If it was stopped before anything was found.

    Examples
    --------
    >>> import explorer as ex
    >>> net, data = ex.load("lenet-300-100")
    >>> fitted = fit_budget(net, data, size_bytes=50_000)
    >>> fitted.met, fitted.point.size_bytes <= 50_000
    (True, True)
    """
    judge_by = as_metric(metric)
    budget = Budget(size_bytes, accuracy, judge_by.scale if judge_by else ACCURACY)
    if data is None and judge_by is None:
        raise ValueError(
            "data: there is none to measure accuracy on; give labeled samples, or metric="
        )
    stop = should_stop or never
    if points is None:
        how: dict[str, Any] = {
            "executor": executor,
            "store": store,
            "should_stop": stop,
            "progress": progress,
            "metric": judge_by,
        }
        points = [p for dial in DIALS for p in sensitivity(net, data, dial=dial, **how)]
    found: Fitted | None = None
    if not stop():
        subject = Measurement(net, data, metric=judge_by)
        for fitted in tries(subject, BudgetSolver(subject, points), budget):
            found = fitted
            if stop():
                break
    if found is None:
        raise RuntimeError("stopped before a recipe was measured")
    return found


def tries(subject: Measurement, solver: BudgetSolver, budget: Budget) -> Iterator[Fitted]:
    """Measure one recipe after the other for a budget, yielding the best so far after each."""
    if budget.size_bytes is not None:
        yield from _cautiously(subject, solver, budget)
        return
    yield from _approach(subject, solver, budget, max(0.0, solver.allowed(budget)))


def _cautiously(subject: Measurement, solver: BudgetSolver, budget: Budget) -> Iterator[Fitted]:
    """Measure what fits into a size with more or less caution, the most accurate counts."""
    best: Fitted | None = None
    seen: set[Recipe] = set()
    for caution in CAUTIONS:
        choice = solver.solve(budget, caution)
        if choice.recipe not in seen:
            seen.add(choice.recipe)
            fitted = _measured(subject, solver, budget, choice, len(seen))
            best = fitted if best is None else max(best, fitted, key=_goodness)
            yield replace(best, n_tries=len(seen))


def _approach(
    subject: Measurement, solver: BudgetSolver, budget: Budget, allowed: float
) -> Iterator[Fitted]:
    """Bisect the loss that is allowed: the most whose recipe still is accurate enough."""
    low, high = 0.0, max(WIDEST * allowed, 1e-3)
    best: Fitted | None = None
    seen: dict[Recipe, Fitted] = {}
    for n in range(1, N_TRIES + 1):
        choice = solver.within_loss(allowed if n < N_TRIES or (best and best.met) else 0.0)
        fitted = seen.get(choice.recipe)
        if fitted is None:
            fitted = _measured(subject, solver, budget, choice, len(seen) + 1)
            seen[choice.recipe] = fitted
            best = replace(_better(best, fitted), n_tries=len(seen))
            yield best
        low, high = (allowed, high) if fitted.met else (low, allowed)
        allowed = (low + high) / 2


def _better(one: Fitted | None, other: Fitted) -> Fitted:
    """Return the smaller of two that are accurate enough, else the more accurate one."""
    if one is None:
        return other
    if one.met and other.met:
        return min(one, other, key=lambda fitted: fitted.point.size_bytes)
    if one.met or other.met:
        return one if one.met else other
    return max(one, other, key=_goodness)


def _goodness(fitted: Fitted) -> float:
    judged = fitted.point.accuracy
    return judged.scale.goodness(judged.value) if judged else -math.inf


def _measured(
    subject: Measurement, solver: BudgetSolver, budget: Budget, choice: Choice, n_tries: int
) -> Fitted:
    """Measure a choice; raises RuntimeError where that fails."""
    point = subject.point("", choice.recipe)
    if point.accuracy is None:
        raise RuntimeError(f"the recipe could not be measured: {point.error_message}")
    met = (
        budget.allows(point.accuracy.value)
        if budget.accuracy is not None
        else point.size_bytes <= (budget.size_bytes or 0)
    )
    return Fitted(budget, choice.recipe, point, solver.predicted(choice), met, n_tries)
