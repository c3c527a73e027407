"""The views of a training run, each in a card, and which of them a plan shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from ipywidgets import VBox
from torch import nn

from explorer.compress.weights import compressible
from explorer.measure.formula import Formula
from explorer.measure.live_layer import live_histogram, live_sparsity
from explorer.measure.penalty_formulas import penalty as penalty_formula
from explorer.session.recovery_plan import Recover
from explorer.session.structure_plans import DropNeurons, ShareWhileTraining
from explorer.session.training_log import TrainingLog
from explorer.session.training_plan import TrainingPlan
from explorer.session.training_plans import CompareNorms, Regularize, Retrain
from explorer.views.card import card
from explorer.views.centroid_paths import CentroidPathsView
from explorer.views.closing import close_all
from explorer.views.curves import AccuracyView, DensityView, LossView
from explorer.views.formula import FormulaView
from explorer.views.histogram import HistogramView
from explorer.views.layout import area
from explorer.views.sparsity_map import SparsityMapView

HEADS = {
    "accuracy": ("Accuracy", "on samples held out"),
    "loss": ("Loss", "cross-entropy of each batch"),
    "density": ("Weights left", "step by step"),
    "formula": ("Penalties", "with their values now"),
    "histogram": ("Weight distribution", "before training and now"),
    "first": ("Weight distribution, L1", "before training and now"),
    "second": ("Weight distribution, L2", "before training and now"),
    "sparsity": ("Sparsity map", "of the network in training"),
    "paths": ("Shared values", "on the move"),
}
PLACES = (
    ("formula", "density"),
    ("accuracy", "loss"),
    ("histogram", "first", "second", "paths", "sparsity"),
)
SHOWN: dict[type[TrainingPlan], tuple[str, ...]] = {
    Retrain: ("accuracy", "loss", "density", "histogram", "sparsity"),
    Recover: ("accuracy", "loss", "histogram", "sparsity"),
    Regularize: ("accuracy", "loss", "formula", "histogram"),
    CompareNorms: ("accuracy", "loss", "formula", "first", "second"),
    ShareWhileTraining: ("accuracy", "loss", "paths", "histogram"),
    DropNeurons: ("accuracy", "loss", "formula", "density", "sparsity", "histogram"),
}
QUICK_WEIGHTS = 4_000_000
PENALTY_WORDS = {
    "L1": "Lambda times the sum of the weights' magnitudes",
    "L2": "Lambda times the sum of the weights' squares",
    "li": "Lambda times the sum, over neurons, of the length of their incoming weights",
    "lo": "Lambda times the sum, over neurons, of the length of their outgoing weights",
}


class TrainViews:
    """Cards of a training run, in two columns and in rows below them.

    Only cards that have something to show are displayed: a figure cannot be laid out where
    it is hidden.

    Parameters
    ----------
    first, last : VBox
        Cards above all others on the left, and below all others.

    Attributes
    ----------
    widget : Box
    """

    def __init__(self, first: VBox, last: VBox) -> None:
        self._first, self._last = first, last
        self._views: dict[str, Any] = {
            "accuracy": AccuracyView(),
            "loss": LossView(),
            "density": DensityView(),
            "formula": FormulaView(),
            "histogram": HistogramView(),
            "first": HistogramView(),
            "second": HistogramView(),
            "sparsity": SparsityMapView(),
            "paths": CentroidPathsView(),
        }
        self._cards = {
            name: card(*HEADS[name], view.widget, f"ex-train-{name}")
            for name, view in self._views.items()
        }
        self._left, self._right = area("column", []), area("column", [])
        self.widget = area("grid", [])
        self._shown: tuple[str, ...] | None = None

    @property
    def shown(self) -> tuple[str, ...]:
        """Names of the cards that are displayed."""
        return self._shown or ()

    def draw(self, plan: TrainingPlan, log: TrainingLog, layer: str) -> None:
        """Show a run, and one of the network's layers.

        Parameters
        ----------
        plan : TrainingPlan
            As the dials stand.
        log : TrainingLog
        layer : str
        """
        curves = log.curves()
        records: dict[str, Callable[[], Any]] = {
            "accuracy": lambda: curves,
            "loss": lambda: curves,
            "density": lambda: curves,
            "formula": lambda: penalty_formulas(plan, log),
            "histogram": lambda: _histogram(log, layer, 0),
            "first": lambda: _histogram(log, layer, 0),
            "second": lambda: _histogram(log, layer, 1),
            "sparsity": lambda: live_sparsity(_weight(_net(log, 0), layer)),
            "paths": lambda: log.centroid_paths(layer),
        }
        self._draw({name: records[name]() for name in SHOWN[type(plan)]})

    def draw_formulas(self, plan: TrainingPlan, log: TrainingLog) -> None:
        """Show the penalties alone."""
        if "formula" in self.shown:
            self._views["formula"].draw(*penalty_formulas(plan, log))

    def close(self) -> None:
        """Release the widgets."""
        for name, view in self._views.items():
            view.close()
            close_all(self._cards[name])
        for box in (self._left, self._right, self.widget):
            box.children = ()
            box.close()

    def _draw(self, records: Mapping[str, Any]) -> None:
        """Draw what there is, then display it."""
        found = {name: record for name, record in records.items() if record is not None}
        for name, record in found.items():
            self._views[name].draw(*(record if isinstance(record, tuple) else (record,)))
        if tuple(found) != self._shown:
            self._shown = tuple(found)
            self._arrange()

    def _arrange(self) -> None:
        left, right, below = (
            [self._cards[name] for name in names if name in self.shown] for names in PLACES
        )
        self._left.children = (self._first, *left)
        self._right.children = tuple(right)
        self.widget.children = (self._left, self._right, *below, self._last)


def _net(log: TrainingLog, lane: int) -> nn.Module:
    return log.nets().get(log.plan.lanes[lane], log.net)


def _weight(net: nn.Module, layer: str) -> torch.Tensor:
    return compressible(net)[layer]


def _histogram(log: TrainingLog, layer: str, lane: int) -> Any:
    if lane >= len(log.plan.lanes):
        return None
    return live_histogram(_weight(log.net, layer), _weight(_net(log, lane), layer))


def penalty_formulas(plan: TrainingPlan, log: TrainingLog) -> tuple[Formula, ...]:
    """Fill in the penalties: with their values in the run, or those of the network before it."""
    told = log.penalties()
    layers = compressible(log.net)
    quick = sum(weight.numel() for weight in layers.values()) <= QUICK_WEIGHTS
    found = []
    for penalty in (log.plan if told else plan).penalties:
        value = told.get(penalty.name, float("nan"))
        if not told and quick:
            with torch.no_grad():
                value = float(penalty.value(layers))
        words = PENALTY_WORDS[penalty.name]
        found.append(penalty_formula(penalty.name, penalty.latex, penalty.strength, value, words))
    return tuple(found)
