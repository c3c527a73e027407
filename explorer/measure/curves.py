"""What a training run has been through, as lines of a few hundred points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from explorer.measure.data import evenly
from explorer.measure.metric import ACCURACY, Scale

MAX_POINTS = 400


@dataclass(frozen=True, eq=False)
class Line:
    """A figure over the steps of a run.

    `steps`: shape (n,), int64; ascending; a step that occurs twice is a jump. `values`: shape (n,)
    or (n, k), float64.
    """

    steps: np.ndarray
    values: np.ndarray

    @property
    def highest(self) -> float:
        """Largest value but for rare peaks, one in a hundred; 0 where there is none."""
        known = self.values[np.isfinite(self.values)]
        return float(np.quantile(known, 0.99)) if known.size else 0.0


def apart(lines: Sequence[Line]) -> Line:
    """Put lines after one another, a NaN between them, so that none is drawn to the next."""
    first, *rest = [line for line in lines if len(line.steps)] or lines[-1:]
    for line in rest:
        gap = np.full_like(line.values[:1], np.nan)
        first = Line(
            np.concatenate([first.steps, line.steps[:1], line.steps]),
            np.concatenate([first.values, gap, line.values]),
        )
    return first


class Track:
    """A line that grows with its run and is thinned, so that it stays quick to draw.

    Once there are more than `max_points`, every other point goes, and from then on only
    every second one is taken up, and so on. The newest point is always there.

    `max_points`: at least 2.

    Examples
    --------
    >>> track = Track(max_points=4)
    >>> for step in range(10):
    ...     track.add(step, step / 10)
    >>> track.line().steps.tolist()
    [0, 4, 8, 9]
    """

    def __init__(self, max_points: int = MAX_POINTS) -> None:
        if max_points < 2:
            raise ValueError(f"max_points must be at least 2; got {max_points}")
        self._max_points = max_points
        self._stride = 1
        self._n_seen = 0
        self._points: list[tuple[int, object]] = []
        self._newest: tuple[int, object] | None = None
        self._parted: list[Line] = []

    def add(self, step: int, value: object) -> None:
        """Add a point: a number, or an array of shape (k,)."""
        self._newest = (step, value)
        if self._n_seen % self._stride == 0:
            self._points.append(self._newest)
        self._n_seen += 1
        while len(self._points) >= self._max_points:
            self._points = self._points[::2]
            self._stride *= 2

    def part(self) -> None:
        """Begin another line: the next point is not joined to those before."""
        if self._newest is not None:
            self._parted.append(self._current())
            self._points, self._newest, self._n_seen = [], None, 0

    def line(self) -> Line:
        """Return the points that are left, with NaN between lines that are not joined."""
        return apart([*self._parted, self._current()])

    def _current(self) -> Line:
        points = list(self._points)
        if self._newest is not None and (not points or points[-1] is not self._newest):
            points.append(self._newest)
        steps = np.array([step for step, _ in points], dtype=np.int64)
        return Line(steps, np.array([value for _, value in points], dtype=np.float64))


@dataclass(frozen=True, eq=False)
class Reference:
    """Accuracy of a network that is not trained, to compare with.

    `name`: what it is, such as ``"pruned at once, not retrained"``. `accuracy`: in [0, 1]; where a
    metric judges, its value.
    """

    name: str
    accuracy: float


@dataclass(frozen=True, eq=False)
class Curves:
    """Lines over the steps of a run; by the name of the network, where several are trained.

    `loss`: cross-entropy of batches in nats, without penalties. `training`: share of an epoch's
    training samples so far that were classified rightly. `held_out`: accuracy on samples that the
    network is not trained on. `density`: share of the network's weights that are not zero.
    `n_steps`: steps of the whole run, as far as is known. `stages`: steps at which a stage began,
    but for the first. `stage`: what a stage is called. `scale`: what the values of `held_out` and
    `reference` mean.
    """

    loss: dict[str, Line]
    training: dict[str, Line]
    held_out: dict[str, Line]
    density: dict[str, Line]
    n_steps: int
    stages: tuple[int, ...] = field(default=())
    reference: Reference | None = None
    stage: str = "stage"
    scale: Scale = ACCURACY

    @property
    def highest_loss(self) -> float:
        """Largest loss but for rare peaks; 0 before the first."""
        return max((line.highest for line in self.loss.values()), default=0.0)

    @property
    def lowest_accuracy(self) -> float:
        """Smallest accuracy, that of the reference included; 1 where there is none."""
        lines = (*self.held_out.values(), *self.training.values())
        values = [value for line in lines for value in line.values[np.isfinite(line.values)]]
        return float(min([*values, self.reference.accuracy if self.reference else 1.0]))


@dataclass(frozen=True, eq=False)
class CentroidPaths:
    """How the values that a layer's weights share moved while training.

    `steps`: shape (n,), int64. `values`: shape (n, k), float64; a column for each shared value.
    `n_steps`: steps of the whole run.
    """

    steps: np.ndarray
    values: np.ndarray
    n_steps: int

    def drawn(self, most: int) -> np.ndarray:
        """Return the values of at most `most` columns, evenly chosen, shape (n, n_drawn)."""
        return self.values[:, evenly(self.values.shape[1], most)]

    @property
    def mean_move(self) -> float:
        """How far a shared value moved from the first step to the last, on average."""
        return float(self._moves.mean())

    @property
    def largest_move(self) -> float:
        """How far the one moved that moved most."""
        return float(self._moves.max())

    @property
    def _moves(self) -> np.ndarray:
        return np.abs(self.values[-1] - self.values[0])
