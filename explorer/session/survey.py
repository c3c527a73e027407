"""Survey: methods, sensitivity and budgets measured beside the recipe."""

from __future__ import annotations

import atexit
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from torch import nn

from explorer.compress.networks.recipe import Recipe
from explorer.measure.metric import ACCURACY, Metric, Scale
from explorer.session.background import BackgroundRun, State, one_thread
from explorer.session.samples import Part, part_of
from explorer.sweep.budget import DIALS, N_TRIES, Fitted, tries
from explorer.sweep.curves import CurvePoint, planned
from explorer.sweep.measurement import Measurement, Stopped
from explorer.sweep.methods import METHODS
from explorer.sweep.options import BudgetSolver
from explorer.sweep.point import Point, Progress
from explorer.sweep.retrained import Retrainer
from explorer.sweep.sensitivity import Cell, SensitivityPoint, cells, matrix_shapes
from explorer.sweep.solver import Budget, Choice

T = TypeVar("T")
Measured = CurvePoint | SensitivityPoint | Fitted
CurveKey = tuple[str, Any, bool]
CellKey = tuple[str, str, float]


class Bench:
    """A network with samples, on which recipes are measured one after the other.

    `original_bytes`: what sizes are compared with. `stopped`: whether the job is to end. `tell`:
    called with a `Progress` after each point. `solvers`: kept between jobs, by the number of
    sensitivities that they know.
    """

    def __init__(
        self,
        net: nn.Module,
        part: Part,
        subject: Measurement,
        original_bytes: int,
        stopped: Callable[[], bool],
        tell: Callable[[Progress], None],
        solvers: dict[int, BudgetSolver],
    ) -> None:
        self.net, self.part, self.subject = net, part, subject
        self._original_bytes = original_bytes
        self.stopped, self._tell = stopped, tell
        self._known: dict[Recipe, Point] = {}
        self._solvers = solvers

    def point(self, recipe: Recipe) -> Point:
        """Measure a recipe, once; raises Stopped where the job is to end."""
        if self.stopped():
            raise Stopped
        if recipe not in self._known:
            self._known[recipe] = self.compared(self.subject.point("", recipe))
        return self._known[recipe]

    def compared(self, point: Point) -> Point:
        """Compare a point's bytes with those of the network that it all began with."""
        return replace(point, original_bytes=self._original_bytes)

    def solver(self, points: Sequence[SensitivityPoint]) -> BudgetSolver:
        """Return what solves budgets, given the sensitivities; made once."""
        if len(points) not in self._solvers:
            self._solvers[len(points)] = BudgetSolver(self.subject, points)
        return self._solvers[len(points)]

    def retrainer(self) -> Retrainer:
        """Return what retrains networks, judged as all others are."""
        return Retrainer(self.net, self.part.measured_on, metric=self.subject.metric)

    def counted(self, items: Sequence[T], n_more: int = 0) -> Iterator[T]:
        """Yield items, telling after each how far it is; `n_more` come afterwards."""
        started = time.perf_counter()
        for done, item in enumerate(items, 1):
            yield item
            spent = time.perf_counter() - started
            self._tell(Progress.after(spent, done, len(items) + n_more, 0))


class Job(ABC):
    """Something to measure."""

    @abstractmethod
    def measured(self, bench: Bench, kept: Kept) -> Iterator[Measured]:
        """Yield what is not kept yet."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What was measured before.

    `curves`: `CurvePoint` by method, value, and whether retrained. `sensitivities`:
    `SensitivityPoint` by dial, layer and value.
    """

    curves: Mapping[CurveKey, CurvePoint]
    sensitivities: Mapping[CellKey, SensitivityPoint]


@dataclass(frozen=True)
class MethodsJob(Job):
    """The curves of all methods.

    `retrained`: whether those of the methods that allow it follow with retraining.
    """

    retrained: bool = False

    def measured(self, bench: Bench, kept: Kept) -> Iterator[Measured]:
        """Yield the points that are missing."""
        plan = planned(bench.net)
        wanted = [(one, False) for one in plan]
        if self.retrained:
            wanted += [(one, True) for one in plan if METHODS[one.method].trains]
        missing = [
            (one, again)
            for one, again in wanted
            if (one.method, one.value, again) not in kept.curves
        ]
        retrainer = bench.retrainer() if self.retrained else None
        for one, again in bench.counted(missing):
            if again and retrainer is not None:
                found = retrainer.point(one.recipe, bench.stopped)
            else:
                found = bench.point(one.recipe)
            if found is None:
                raise Stopped
            yield CurvePoint(one.method, one.value, bench.compared(found), again)


@dataclass(frozen=True)
class SensitivityJob(Job):
    """The sensitivities of all layers."""

    dial: str = "density"

    def measured(self, bench: Bench, kept: Kept) -> Iterator[Measured]:
        """Yield the points that are missing."""
        for cell in bench.counted(missing_cells(bench.net, self.dial, kept)):
            yield SensitivityPoint(cell.layer, self.dial, cell.value, bench.point(cell.recipe))


@dataclass(frozen=True)
class FitJob(Job):
    """A recipe for a budget; the sensitivities that it needs come first."""

    budget: Budget

    def measured(self, bench: Bench, kept: Kept) -> Iterator[Measured]:
        """Yield the sensitivities that are missing, then the best recipe so far after each try."""
        found = [p for (dial, _, _), p in kept.sensitivities.items() if dial in DIALS]
        todo = [(dial, c) for dial in DIALS for c in missing_cells(bench.net, dial, kept)]
        for dial, cell in bench.counted(todo, N_TRIES):
            point = SensitivityPoint(cell.layer, dial, cell.value, bench.point(cell.recipe))
            found.append(point)
            yield point
        solver = bench.solver(found)
        for fitted in tries(bench.subject, solver, self.budget):
            yield replace(fitted, point=bench.compared(fitted.point))


def missing_cells(net: nn.Module, dial: str, kept: Kept) -> list[Cell]:
    """List what is to be measured of a dial and is not kept yet."""
    return [
        cell
        for cell in cells(matrix_shapes(net), dial)
        if (dial, cell.layer, cell.value) not in kept.sensitivities
    ]


SHOW_EVERY_S = 0.2
WAIT_S = 5.0
Run = BackgroundRun[Measured]


class Survey:
    """All that is measured of one network beside the recipe under the hand, one job at a time.

    `net`: must not change meanwhile. `original_bytes`: what sizes are compared with. `heard`:
    called with the survey at most five times a second, from its thread. `changed`: called with the
    survey whenever the state of its job changes, also at its end. `metric`: judges in place of the
    data. `curves`: by method, value, and whether retrained. `sensitivities`: by dial, layer and
    value. `job`: the last one. `progress`: of that job; None before its first point.
    """

    def __init__(
        self,
        net: nn.Module,
        data: Any,
        original_bytes: int,
        heard: Callable[[Survey], None],
        changed: Callable[[Survey], None],
        input_shape: tuple[int, ...] | None = None,
        metric: Metric | None = None,
    ) -> None:
        self.net, self._data, self._shape = net, data, input_shape
        self._original_bytes = original_bytes
        self._metric = metric
        self._heard, self._changed = heard, changed
        self.curves: dict[CurveKey, CurvePoint] = {}
        self.sensitivities: dict[CellKey, SensitivityPoint] = {}
        self.fits: dict[Budget, Fitted] = {}
        self.job: Job | None = None
        self.progress: Progress | None = None
        self._part: Part | None = None
        self._subject: Measurement | None = None
        self._solvers: dict[int, BudgetSolver] = {}
        self._runs: list[Run] = []
        self._busy = threading.Lock()
        self._shown = 0.0

    @property
    def scale(self) -> Scale:
        """What the values mean that networks are judged by."""
        return ACCURACY if self._metric is None else self._metric.scale

    @property
    def can_train(self) -> bool:
        """Whether there are samples to retrain on."""
        return hasattr(self._data, "tune") and hasattr(self._data, "eval")

    @property
    def samples(self) -> tuple[int, int]:
        """Samples that are judged on, and samples there are; 0 where that is not known yet."""
        if self._part is None or self._metric is not None:
            return 0, 0
        return self._part.n, self._part.n_total

    @property
    def state(self) -> State:
        """What the last job is doing."""
        return self._runs[-1].state if self._runs else State.IDLE

    @property
    def active(self) -> bool:
        """Whether a job is under way."""
        return bool(self._runs) and self._runs[-1].active

    @property
    def error(self) -> BaseException | None:
        """What ended the last job, where it failed."""
        return self._runs[-1].error if self._runs else None

    def start(self, job: Job) -> None:
        """Begin a job; one that is under way ends, and what it has measured stays."""
        self.stop()
        self.job, self.progress = job, None
        run: Run = BackgroundRun(self._arrived, self._state_changed)
        self._runs = [*(old for old in self._runs if _lives(old)), run]
        run.start(self._measured(job, run))

    def predict(self, budget: Budget) -> tuple[Choice, float] | None:
        """Return what a budget lets expect, and its accuracy; None before a budget was fitted."""
        if not self._solvers:
            return None
        solver = self._solvers[max(self._solvers)]
        choice = solver.solve(budget)
        return choice, solver.predicted(choice)

    def pause(self) -> None:
        """Stand still after the point at hand, until `resume`."""
        if self._runs:
            self._runs[-1].pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        if self._runs:
            self._runs[-1].resume()

    def stop(self) -> None:
        """End the job after the batch at hand; what was measured stays."""
        if self._runs:
            self._runs[-1].stop()
            if self._subject is not None:
                self._subject.stopped.set()

    def close(self) -> None:
        """End, and tell nobody any more."""
        self._heard = self._changed = lambda _survey: None
        self.stop()

    def join(self, timeout: float | None = None) -> State:
        """Wait until all jobs have ended; raises TimeoutError as `BackgroundRun.join`."""
        for run in self._runs:
            run.join(timeout)
        return self.state

    def _measured(self, job: Job, run: Run) -> Iterator[Measured]:
        """Measure a job once the one before has ended."""
        atexit.register(self._end)
        try:
            with self._busy, one_thread(), suppress(Stopped):
                yield from job.measured(self._bench(run), Kept(self.curves, self.sensitivities))
        finally:
            atexit.unregister(self._end)

    def _bench(self, run: Run) -> Bench:
        """Make what a job is measured on; network and samples are prepared once."""
        if self._part is None:
            self._part = part_of(self.net, self._data)
        if self._subject is None:
            measured_on = self._part.measured_on
            self._subject = Measurement(self.net, measured_on, self._shape, metric=self._metric)
        self._subject.stopped.clear()

        def stopped() -> bool:
            return not run.active

        def tell(progress: Progress) -> None:
            if run is self._runs[-1]:
                self.progress = progress

        if stopped():
            raise Stopped
        bench = (self.net, self._part, self._subject, self._original_bytes)
        return Bench(*bench, stopped, tell, self._solvers)

    def _arrived(self, found: Measured) -> None:
        if isinstance(found, CurvePoint):
            self.curves[found.method, found.value, found.retrained] = found
        elif isinstance(found, SensitivityPoint):
            self.sensitivities[found.dial, found.layer, found.value] = found
        else:
            self.fits[found.budget] = found
        now = time.perf_counter()
        if now - self._shown >= SHOW_EVERY_S:
            self._shown = now
            self._heard(self)

    def _state_changed(self, run: Run) -> None:
        if run is self._runs[-1]:
            self._changed(self)

    def _end(self) -> None:
        """End before the interpreter takes its threads down."""
        self.close()
        with suppress(TimeoutError):
            self.join(WAIT_S)


def _lives(run: Run) -> bool:
    try:
        run.join(0)
    except TimeoutError:
        return True
    return False
