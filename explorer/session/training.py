"""An experiment that runs in the background of a session, and its log."""

from __future__ import annotations

import atexit
import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from explorer.compress.networks.plain import copied
from explorer.compress.networks.recipe import Recipe
from explorer.compress.networks.weights import compressible
from explorer.experiments.experiment import Event, Experiment, Finding, TrainingContext
from explorer.measure.accuracy import Accuracy
from explorer.measure.curves import CentroidPaths, Curves, Reference, Track
from explorer.measure.metric import ACCURACY, Scale, Score
from explorer.session.background import BackgroundRun, State, one_thread
from explorer.train.neurons import Dropped
from explorer.train.record import TrainRecord


class Lane:
    """One of the networks that are trained side by side; with `afresh` a new one each stage."""

    def __init__(self, afresh: bool = False) -> None:
        self._afresh = afresh
        self.loss, self.training, self.held_out = Track(), Track(), Track()
        self.density = Track()
        self.centroids: dict[str, Track] = {}
        self.first: Accuracy | Score | None = None
        self.last: Accuracy | Score | None = None
        self.record: TrainRecord | None = None
        self.stages: list[int] = []
        self._net: nn.Module | None = None
        self._sizes: dict[str, int] = {}

    def add(self, record: TrainRecord) -> None:
        """Take up what was told of a step."""
        if record.net is not self._net:
            layers = compressible(record.net)
            self._net, self._sizes = record.net, {n: w.numel() for n, w in layers.items()}
        if self.record is not None and record.stage > self.record.stage:
            self.stages.append(record.step)
            if self._afresh:
                for track in (self.loss, self.training, self.held_out, self.density):
                    track.part()
        self.record = record
        if math.isfinite(record.loss):
            self.loss.add(record.step, record.loss)
        if math.isfinite(record.train_accuracy):
            self.training.add(record.step, record.train_accuracy)
        if record.validation is not None:
            self.held_out.add(record.step, record.validation.value)
            self.first, self.last = self.first or record.validation, record.validation
        sizes = self._sizes
        kept = sum(part * sizes.get(name, 0) for name, part in record.density.items())
        self.density.add(record.step, kept / max(1, sum(sizes.values())))
        for name, values in record.centroids.items():
            self.centroids.setdefault(name, Track()).add(record.step, values.numpy())


@dataclass(eq=False)
class TrainingLog:
    """All that a run has told, thinned.

    `net`: the network before training. `dropped`: what became of the network whose neurons were
    taken out. `found`: what else the run brought to light, by name, in the order it was told.
    `newest`: the last step's record, of whichever network.
    """

    plan: Experiment
    net: nn.Module
    dropped: Dropped | None = None
    found: dict[str, list[Any]] = field(default_factory=dict)
    newest: TrainRecord | None = None
    _reference: Accuracy | Score | None = None
    _lanes: dict[str, Lane] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lanes = {name: Lane(self.plan.afresh) for name in self.plan.lanes}

    def add(self, moment: Event) -> None:
        """Take up what was told."""
        record = moment.record
        if isinstance(record, (Accuracy, Score)):
            self._reference = record
        elif isinstance(record, Dropped):
            self.dropped = record
        elif isinstance(record, Finding):
            self.found.setdefault(record.name, []).append(record.value)
        else:
            self._lanes[moment.lane].add(record)
            self.newest = record

    @property
    def reference(self) -> Accuracy | Score | None:
        """Accuracy of what the plan compares with."""
        return self._reference

    def accuracies(self) -> dict[str, tuple[Accuracy | Score | None, Accuracy | Score | None]]:
        """Return the first and the last accuracy on held-out samples, by network."""
        return {name: (lane.first, lane.last) for name, lane in self._lanes.items()}

    def parts(self) -> dict[str, dict[str, float]]:
        """Return the terms of the last step's loss by name, by network."""
        begun = {name: lane.record for name, lane in self._lanes.items()}
        return {name: dict(record.parts) for name, record in begun.items() if record is not None}

    def penalties(self) -> dict[str, float]:
        """Return the penalties of the last step, by name; empty before the first one."""
        found: dict[str, float] = {}
        for lane in self._lanes.values():
            found |= lane.record.penalties if lane.record else {}
        return found

    def nets(self) -> dict[str, nn.Module]:
        """Return the networks under training, by name; without those that have not begun."""
        if self.dropped is not None:
            return {self.plan.lane_used: self.dropped.net}
        found = {name: lane.record for name, lane in self._lanes.items()}
        return {name: record.net for name, record in found.items() if record is not None}

    def curves(self) -> Curves:
        """Return the lines of the run."""
        lanes, newest = self._lanes, self.newest
        reference = self._reference
        return Curves(
            loss={name: lane.loss.line() for name, lane in lanes.items()},
            training={name: lane.training.line() for name, lane in lanes.items()},
            held_out={name: lane.held_out.line() for name, lane in lanes.items()},
            density={name: lane.density.line() for name, lane in lanes.items()},
            n_steps=max(newest.n_steps, newest.step) if newest else 0,
            stages=tuple(sorted({step for lane in lanes.values() for step in lane.stages})),
            reference=Reference(self.plan.reference, reference.value) if reference else None,
            stage=self.plan.stage,
            scale=self._scale,
        )

    @property
    def _scale(self) -> Scale:
        judged = [self._reference, *(lane.last for lane in self._lanes.values())]
        return next((one.scale for one in judged if one is not None), ACCURACY)

    def centroid_paths(self, layer: str) -> CentroidPaths | None:
        """Return how a layer's shared values moved; None where it shares none."""
        track = self._lanes[self.plan.lanes[0]].centroids.get(layer)
        if track is None or self.newest is None:
            return None
        line = track.line()
        values = line.values.reshape(len(line.steps), -1)
        return CentroidPaths(line.steps, np.asarray(values), max(self.newest.n_steps, 1))


SHOW_EVERY_S = 0.2
WAIT_S = 5.0


class Training:
    """One run of a plan.

    `heard`: called with the training at most five times a second, from its thread, between two
    steps: the networks hold still meanwhile. `changed`: called with the training whenever its state
    changes. `log`: what the run has told so far. `stopping`: whether it was asked to stop.
    """

    def __init__(
        self,
        plan: Experiment,
        trainee: TrainingContext,
        heard: Callable[[Training], None],
        changed: Callable[[Training], None],
    ) -> None:
        self.plan, self._trainee = plan, trainee
        self._heard, self._changed = heard, changed
        self._shown = 0.0
        self.stopping = False
        self.log = TrainingLog(plan, trainee.net)
        self._run: BackgroundRun[Event] = BackgroundRun(
            self._arrived, lambda _run: self._changed(self)
        )

    @property
    def state(self) -> State:
        """What it is doing; STOPPED once it has ended early."""
        state = self._run.state
        return State.STOPPED if state is State.DONE and self.stopping else state

    @property
    def active(self) -> bool:
        """Whether there is something to pause or stop."""
        return self._run.active

    @property
    def still(self) -> bool:
        """Whether the networks hold still until somebody goes on."""
        return not self._run.active or self._run.state is State.PAUSED

    @property
    def error(self) -> BaseException | None:
        """What ended it, where it failed; the network then has its last good weights."""
        return self._run.error

    def start(self) -> None:
        """Begin."""
        self._run.start(self._moments())

    def pause(self) -> None:
        """Stand still after the step at hand, until `resume`."""
        self._run.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._run.resume()

    def stop(self) -> None:
        """End after the step at hand; what was reached stays."""
        self.stopping = True
        self._run.resume()

    def close(self) -> None:
        """End, and tell nobody any more."""
        self._heard = self._changed = lambda _training: None
        self.stop()
        self._run.stop()

    def join(self, timeout: float | None = None) -> State:
        """Wait until it has ended; raises TimeoutError as `BackgroundRun.join`."""
        self._run.join(timeout)
        return self.state

    def trained(self) -> nn.Module:
        """Return a copy of what was trained; of ``plan.lane_used``, where there are several.

        Raises RuntimeError if the run is under way, or that network has not done a step yet.
        """
        if not self.usable:
            raise RuntimeError("training is under way; pause or stop it to use the network")
        return copied(self.log.nets()[self.plan.lane_used]).eval().requires_grad_(True)

    @property
    def usable(self) -> bool:
        """Whether there is a network to hand over."""
        return self.still and self.plan.lane_used in self.log.nets()

    @property
    def recipe_after(self) -> Recipe:
        """The recipe that keeps what was trained as it is."""
        return self.plan.recipe_after(self._trainee.recipe)

    def _moments(self) -> Iterator[Event]:
        atexit.register(self._end)
        try:
            with one_thread():
                yield from self.plan.events(self._trainee, lambda: self.stopping)
        finally:
            atexit.unregister(self._end)

    def _end(self) -> None:
        """End before the interpreter takes its threads down."""
        self.close()
        with suppress(TimeoutError):
            self.join(WAIT_S)

    def _arrived(self, moment: Event) -> None:
        self.log.add(moment)
        now = time.perf_counter()
        if now - self._shown >= SHOW_EVERY_S:
            self._shown = now
            self._heard(self)
