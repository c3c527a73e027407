"""Points of networks that were shortly retrained under their compression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import nn

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.compress.networks.plain import copied
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.compress.networks.weights import compressible
from explorer.measure.metric import Metric
from explorer.stopping import never
from explorer.sweep.measurement import Measurement, Stopped
from explorer.sweep.point import Point
from explorer.train.retraining import retrain
from explorer.train.settings import TrainSettings, for_retraining
from explorer.train.sharing import SHARED, train_shared
from explorer.train.training import Records

SHORT = replace(for_retraining(TrainSettings()), n_epochs=5, max_steps=100)


class Retrainer:
    """Retrains copies of a network by recipes that prune, share, or do both.

    `net`: left unchanged. `data`: its ``tune`` part is trained on, its ``eval`` part judged on.
    `training`: of pruned weights; shared values are trained as long, with Adam. `metric`: judges in
    place of the ``eval`` part. Raises ValueError if the data have no part to tune on.
    """

    def __init__(
        self,
        net: nn.Module,
        data: Any,
        training: TrainSettings = SHORT,
        metric: Metric | None = None,
    ) -> None:
        if not (hasattr(data, "tune") and hasattr(data, "eval")):
            raise ValueError(
                "data: retraining needs samples apart from those that accuracy is measured on; "
                f"got {type(data).__name__}: give both, as in Data(tune=..., eval=...)"
            )
        self._net, self._data, self._training = net, data, training
        self._metric = metric
        self._kept: tuple[Recipe, nn.Module] | None = None

    def point(self, recipe: Recipe, should_stop: Callable[[], bool] | None = None) -> Point | None:
        """Retrain under a recipe, then measure the bytes and accuracy that it gives.

        Recipes that differ only in how they are written, one after the other, share a network.

        `recipe`: `Prune` by sparsity, `Share`, or both, in each layer; then steps that lose
        nothing. `should_stop`: asked after every step. Returns: none where it was stopped.
        """
        stop = should_stop or never
        lossy = Recipe(tuple((pattern, _lossy(steps)) for pattern, steps in recipe.entries))
        if self._kept is None or self._kept[0] != lossy:
            net = self._trained(lossy, stop)
            if net is None:
                return None
            self._kept = lossy, net
        try:
            return Measurement(self._kept[1], self._data, metric=self._metric).point("", recipe)
        except Stopped:
            return None

    def _trained(self, recipe: Recipe, stop: Callable[[], bool]) -> nn.Module | None:
        names = list(compressible(self._net))
        prunes = {name: _of(Prune, recipe.steps_for(name)) for name in names}
        net: nn.Module | None = self._net
        if all(prunes.values()):
            density = {n: 1 - (p.sparsity or 0.0) for n, p in prunes.items() if p is not None}
            net = _last(retrain(self._net, self._data.tune, density, self._training), stop)
        if net is not None and any(_of(Share, recipe.steps_for(name)) for name in names):
            training = replace(self._training, **_ADAM)
            net = _last(train_shared(net, self._data.tune, recipe, training), stop)
        return net


_ADAM: dict[str, Any] = {"optimizer": SHARED.optimizer, "learning_rate": SHARED.learning_rate}


def _lossy(steps: Steps) -> Steps:
    return tuple(step for step in steps if isinstance(step, (Prune, Share)))


def _of(kind: type, steps: Steps) -> Any:
    return next((step for step in steps if isinstance(step, kind)), None)


def _last(records: Records, stop: Callable[[], bool]) -> nn.Module | None:
    """Return a copy of what a run made; None where it was stopped."""
    net = None
    for record in records:
        if stop():
            records.close()
            return None
        net = record.net
    return None if net is None else copied(net).eval()
