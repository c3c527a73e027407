"""Brings the working copy up to a recipe and judges it, the original network once before."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from functools import cached_property

import torch
from torch import nn

from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plan import Plan
from explorer.compress.networks.writable_copy import WritableCopy
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Metric, Score
from explorer.session.evaluation import Evaluation, Recording
from explorer.stopping import Stop


class Evaluator:
    """Rewrites a copy of the network and evaluates it, one caller at a time.

    `net`: left unchanged. `layers`: its compressible layers. `evaluation`: how it is judged.
    `device`: where it is evaluated. `original`: of the network itself; None until it is complete.
    `original_recording`: what the network itself answered meanwhile.
    """

    def __init__(
        self,
        net: nn.Module,
        layers: Mapping[str, IndexedLayer],
        evaluation: Evaluation,
        device: torch.device,
    ) -> None:
        self._net = net
        self._layers = layers
        self._evaluation = evaluation
        self._device = device
        self._busy = threading.Lock()
        self.original: Accuracy | Score | None = None
        self.original_recording: Recording | None = None

    @property
    def possible(self) -> bool:
        """Whether there is anything to judge by."""
        return self._evaluation.possible

    @property
    def metric(self) -> Metric | None:
        """What judges in place of data."""
        return self._evaluation.metric

    @property
    def recording(self) -> Recording | None:
        """What was answered when the copy was last judged, as far as that got."""
        return self._evaluation.recording

    @cached_property
    def copy(self) -> WritableCopy:
        """The copy that is rewritten and evaluated; made when first needed."""
        return WritableCopy(self._net, self._layers, self._device)

    def rewrite(self, plans: Mapping[str, Plan], stale: Stop) -> None:
        """Bring the copy up to `plans`, layer by layer, unless it turns stale."""
        with self._busy:
            self._rewrite(plans, stale)

    def run(self, plans: Mapping[str, Plan], stale: Stop) -> Iterator[Accuracy | Score]:
        """Yield the accuracy so far after each batch."""
        if self.possible:
            yield from self._judge(plans, stale)

    def judge_original(self, stale: Stop) -> None:
        """Judge the network as it is, once."""
        if self.possible and self.original is None:
            untouched = {name: layer.plan(()) for name, layer in self._layers.items()}
            for accuracy in self._judge(untouched, stale):
                self.original_recording = self.recording
                self.original = accuracy if accuracy.complete else None

    def _judge(self, plans: Mapping[str, Plan], stale: Stop) -> Iterator[Accuracy | Score]:
        with self._busy:
            if self._rewrite(plans, stale):
                yield from self._evaluation.run(self.copy.net, plans, stale)

    def _rewrite(self, plans: Mapping[str, Plan], stale: Stop) -> bool:
        """Bring the copy up to `plans`; False if that stopped half-way."""
        for name in self.copy.outdated(plans):
            if stale():
                return False
            self.copy.write(name, plans[name])
        return True
