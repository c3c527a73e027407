"""What a training run has told so far, ready to be looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from explorer.compress.networks.weights import compressible
from explorer.experiments.experiment import Event, Experiment, Finding
from explorer.measure.accuracy import Accuracy
from explorer.measure.curves import CentroidPaths, Curves, Reference, Track
from explorer.measure.metric import ACCURACY, Scale, Score
from explorer.train.neurons import Dropped
from explorer.train.records import TrainRecord


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

    Parameters
    ----------
    plan : Experiment
    net : Module
        The network before training.

    Attributes
    ----------
    dropped : Dropped or None
        What became of the network whose neurons were taken out.
    found : mapping of str to list
        What else the run brought to light, by name, in the order it was told.
    newest : TrainRecord or None
        The last step's record, of whichever network.
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
