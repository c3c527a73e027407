"""What a network does under many recipes, measured in the background and kept."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from torch import nn

from explorer.measure.metric import ACCURACY, Metric, Scale
from explorer.session.background import BackgroundRun, State, one_thread
from explorer.session.samples import Part, part_of
from explorer.session.survey_jobs import Bench, CellKey, CurveKey, Job, Kept, Measured
from explorer.sweep.budget import Fitted
from explorer.sweep.curves import CurvePoint
from explorer.sweep.options import BudgetSolver
from explorer.sweep.point import Progress
from explorer.sweep.sensitivity import SensitivityPoint
from explorer.sweep.solver import Budget, Choice
from explorer.sweep.subject import Stopped, Subject

SHOW_EVERY_S = 0.2
WAIT_S = 5.0
Run = BackgroundRun[Measured]


class Survey:
    """All that is measured of one network beside the recipe under the hand, one job at a time.

    Parameters
    ----------
    net : Module
        Must not change meanwhile.
    data : Data, Dataset or iterable of batches
    original_bytes : int
        What sizes are compared with.
    heard : callable
        Called with the survey at most five times a second, from its thread.
    changed : callable
        Called with the survey whenever the state of its job changes, also at its end.
    input_shape : tuple of int, optional
    metric : Metric, optional
        Judges in place of the data.

    Attributes
    ----------
    curves : dict of (str, object, bool) to CurvePoint
        By method, value, and whether retrained.
    sensitivities : dict of (str, str, float) to SensitivityPoint
        By dial, layer and value.
    fits : dict of Budget to Fitted
    job : Job or None
        The last one.
    progress : Progress or None
        Of that job; None before its first point.
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
        self._subject: Subject | None = None
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
        """Return what a budget lets expect, and its accuracy; None before a budget was fitted.

        Parameters
        ----------
        budget : Budget
        """
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
            self._subject = Subject(self.net, measured_on, self._shape, metric=self._metric)
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
