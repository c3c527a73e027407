"""The views of a training run, and which of them a plan shows."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from explorer.compress.networks.weights import compressible
from explorer.experiments.experiment import Experiment
from explorer.experiments.pruning import CompareNorms, Regularize, Retrain
from explorer.experiments.recovery import Recover
from explorer.experiments.structure import DropNeurons, ShareWhileTraining
from explorer.measure.formulas.formula import Formula
from explorer.measure.formulas.training import penalty as penalty_formula
from explorer.measure.maps import live_histogram, live_sparsity
from explorer.panels.run_views import RunView
from explorer.session.training_log import TrainingLog
from explorer.views.formula import FormulaView
from explorer.views.histogram import HistogramView
from explorer.views.maps import SparsityMapView
from explorer.views.training_curves import AccuracyView, CentroidPathsView, DensityView, LossView

SHOWN: dict[type[Experiment], tuple[str, ...]] = {
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


def _net(log: TrainingLog, lane: int) -> nn.Module:
    return log.nets().get(log.plan.lanes[lane], log.net)


def _weight(net: nn.Module, layer: str) -> torch.Tensor:
    return compressible(net)[layer]


def _histogram(log: TrainingLog, layer: str, lane: int) -> Any:
    if lane >= len(log.plan.lanes):
        return None
    return live_histogram(_weight(log.net, layer), _weight(_net(log, lane), layer))


def penalty_formulas(plan: Experiment, log: TrainingLog) -> tuple[Formula, ...]:
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


ACCURACY = RunView(
    "accuracy",
    "Accuracy",
    "on held-out samples",
    "right",
    AccuracyView,
    lambda run: run.log.curves(),
)
LOSS = RunView("loss", "Loss", "of each batch", "right", LossView, lambda run: run.log.curves())
VIEWS = (
    RunView(
        "formula",
        "Penalties",
        "with their values now",
        "left",
        FormulaView,
        lambda run: penalty_formulas(run.plan, run.log),
    ),
    RunView(
        "density",
        "Weights left",
        "step by step",
        "below",
        DensityView,
        lambda run: run.log.curves(),
    ),
    ACCURACY,
    LOSS,
    RunView(
        "histogram",
        "Weight distribution",
        "before training and now",
        "below",
        HistogramView,
        lambda run: _histogram(run.log, run.layer, 0),
    ),
    RunView(
        "first",
        "Weight distribution, L1",
        "before training and now",
        "below",
        HistogramView,
        lambda run: _histogram(run.log, run.layer, 0),
    ),
    RunView(
        "second",
        "Weight distribution, L2",
        "before training and now",
        "below",
        HistogramView,
        lambda run: _histogram(run.log, run.layer, 1),
    ),
    RunView(
        "paths",
        "Shared values",
        "on the move",
        "right",
        CentroidPathsView,
        lambda run: run.log.centroid_paths(run.layer),
    ),
    RunView(
        "sparsity",
        "Sparsity map",
        "of the network in training",
        "below",
        SparsityMapView,
        lambda run: live_sparsity(_weight(_net(run.log, 0), run.layer)),
    ),
)
