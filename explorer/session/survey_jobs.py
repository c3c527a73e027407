"""What a survey can be asked to measure, and the bench that it is measured on."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from torch import nn

from explorer.compress.networks.recipe import Recipe
from explorer.session.samples import Part
from explorer.sweep.budget import DIALS, N_TRIES, Fitted, tries
from explorer.sweep.curves import CurvePoint, planned
from explorer.sweep.methods import METHODS
from explorer.sweep.options import BudgetSolver
from explorer.sweep.point import Point, Progress
from explorer.sweep.retrained import Retrainer
from explorer.sweep.sensitivity import Cell, SensitivityPoint, cells, matrix_shapes
from explorer.sweep.solver import Budget
from explorer.sweep.subject import Stopped, Subject

T = TypeVar("T")
Measured = CurvePoint | SensitivityPoint | Fitted
CurveKey = tuple[str, Any, bool]
CellKey = tuple[str, str, float]


class Bench:
    """A network with samples, on which recipes are measured one after the other.

    Parameters
    ----------
    net : Module
    part : Part
    subject : Subject
    original_bytes : int
        What sizes are compared with.
    stopped : callable
        Whether the job is to end.
    tell : callable
        Called with a `Progress` after each point.
    solvers : dict of int to BudgetSolver
        Kept between jobs, by the number of sensitivities that they know.
    """

    def __init__(
        self,
        net: nn.Module,
        part: Part,
        subject: Subject,
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
        """Yield what is not kept yet.

        Parameters
        ----------
        bench : Bench
        kept : Kept
        """


@dataclass(frozen=True, eq=False)
class Kept:
    """What was measured before.

    Attributes
    ----------
    curves : mapping
        `CurvePoint` by method, value, and whether retrained.
    sensitivities : mapping
        `SensitivityPoint` by dial, layer and value.
    """

    curves: Mapping[CurveKey, CurvePoint]
    sensitivities: Mapping[CellKey, SensitivityPoint]


@dataclass(frozen=True)
class MethodsJob(Job):
    """The curves of all methods.

    Attributes
    ----------
    retrained : bool
        Whether those of the methods that allow it follow with retraining.
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
    """The sensitivities of all layers.

    Attributes
    ----------
    dial : str
    """

    dial: str = "density"

    def measured(self, bench: Bench, kept: Kept) -> Iterator[Measured]:
        """Yield the points that are missing."""
        for cell in bench.counted(missing_cells(bench.net, self.dial, kept)):
            yield SensitivityPoint(cell.layer, self.dial, cell.value, bench.point(cell.recipe))


@dataclass(frozen=True)
class FitJob(Job):
    """A recipe for a budget; the sensitivities that it needs come first.

    Attributes
    ----------
    budget : Budget
    """

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
