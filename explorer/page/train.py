"""The tab Train: experiments on the page's network, and results of papers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import torch
from ipywidgets import Checkbox, Widget
from torch import nn

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.compress.networks.weights import compressible
from explorer.controls.help_text import explain
from explorer.experiments.experiment import Experiment
from explorer.experiments.pruning import CompareNorms, Regularize, Retrain
from explorer.experiments.recovery import Recover
from explorer.experiments.structure import DropNeurons, ShareWhileTraining
from explorer.measure.formulas.formula import Formula
from explorer.measure.formulas.training import penalty as penalty_formula
from explorer.measure.maps import Histogram, live_histogram, live_sparsity
from explorer.measure.published.results import Reproduced, Story, reproduced, story
from explorer.measure.result import Result
from explorer.page.cards import Card, Topic
from explorer.page.reproduced import PublishedView, Results, none
from explorer.page.runs import RunTab, Use, of
from explorer.page.words import PLANS, failure_text, recovered_text
from explorer.session import Session
from explorer.session.live_recovery import LiveRecovery
from explorer.session.training import TrainingLog
from explorer.views.formula import FormulaView
from explorer.views.histogram import HistogramView
from explorer.views.maps import SparsityMapView
from explorer.views.training_curves import AccuracyView, CentroidPathsView, DensityView, LossView

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


def _histogram(log: TrainingLog, layer: str, lane: int) -> Histogram | None:
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


def _distribution(title: str, css: str, lane: int, *kinds: type[Experiment]) -> Card:
    return Card(
        title,
        "before training and now",
        css,
        HistogramView,
        lambda run: _histogram(run.log, run.layer, lane),
        shown=of(*kinds),
    )


PENALTIES = Card(
    "Penalties",
    "with their values now",
    "ex-train-formula",
    FormulaView,
    lambda run: penalty_formulas(run.plan, run.log),
    shown=of(Regularize, CompareNorms, DropNeurons),
)
ACCURACY = Card(
    "Accuracy",
    "on held-out samples",
    "ex-train-accuracy",
    AccuracyView,
    lambda run: run.log.curves(),
)
LOSS = Card("Loss", "of each batch", "ex-train-loss", LossView, lambda run: run.log.curves())
PATHS = Card(
    "Shared values",
    "on the move",
    "ex-train-paths",
    CentroidPathsView,
    lambda run: run.log.centroid_paths(run.layer),
    shown=of(ShareWhileTraining),
)
DENSITY = Card(
    "Weights left",
    "step by step",
    "ex-train-density",
    DensityView,
    lambda run: run.log.curves(),
    shown=of(Retrain, DropNeurons),
)
SPARSITY = Card(
    "Sparsity map",
    "of the network in training",
    "ex-train-sparsity",
    SparsityMapView,
    lambda run: live_sparsity(_weight(_net(run.log, 0), run.layer)),
    shown=of(Retrain, Recover, DropNeurons),
)
DISTRIBUTIONS = (
    _distribution(
        "Weight distribution",
        "ex-train-histogram",
        0,
        *(Retrain, Recover, Regularize, ShareWhileTraining, DropNeurons),
    ),
    _distribution("Weight distribution, L1", "ex-train-first", 0, CompareNorms),
    _distribution("Weight distribution, L2", "ex-train-second", 1, CompareNorms),
)


class TrainTab(RunTab):
    """Experiments on the page's network, their cards, and retraining after each move."""

    plans = PLANS
    heading = ("Training", "on the training samples")
    follows_dials = PENALTIES.title

    def __init__(self, use: Use, say: Callable[[str], None], results: Results = none) -> None:
        self._results = results
        self._live = LiveRecovery(
            lambda recovered: say(recovered_text(recovered)),
            lambda error: say(f"Not retrained: {failure_text(error)}"),
        )
        published = Card(
            "Results of papers",
            "published, and reached here",
            "ex-view-reproduced",
            PublishedView,
            lambda _run: self._published,
        )
        topic = Topic(
            "Train",
            "retrains the network while it is pruned or shares values",
            (Prune(sparsity=0.5), Share(n_clusters=32)),
            (self.setup_card, PENALTIES),
            (ACCURACY, LOSS, PATHS),
            (published,),
            below=(DENSITY, *DISTRIBUTIONS, SPARSITY),
        )
        super().__init__(topic, use)

    @cached_property
    def _keep(self) -> Checkbox:
        box = Checkbox(description="Keep retraining after each move", indent=False)
        explain(box, "After each change of the recipe, train for as many seconds as set above.")
        box.add_class("ex-train-keep")
        return box

    @cached_property
    def _published(self) -> tuple[list[Reproduced], list[Story]] | None:
        found = list(self._results())
        stories = [told for each in found if (told := story(each)) is not None]
        return ([reproduced(each) for each in found], stories) if found else None

    @property
    def asides(self) -> Mapping[type[Experiment], Widget]:
        """The switch of live recovery."""
        return {Recover: self._keep}

    @property
    def recovery(self) -> Recover | None:
        """What is trained after each move; None where nothing is. Assign to switch it."""
        plan = self.setup.plan_of(Recover)
        return plan if self._keep.value and isinstance(plan, Recover) else None

    @recovery.setter
    def recovery(self, plan: Recover | None) -> None:
        if plan is not None:
            self.setup.set_plan_of(plan)
        self._keep.value = plan is not None

    def moved(self) -> None:
        """End what recovers the last recipe."""
        self._live.stop()

    def completed(self, session: Session, result: Result) -> None:
        """Recover a recipe's accuracy, if that is switched on."""
        plan = self.recovery if self.boxes else None
        if plan is not None and result.accuracy is not None and not self.busy:
            self._live.start(session, result, plan)

    def start(self) -> None:
        """Begin a run; live recovery ends."""
        self._live.stop()
        super().start()

    def forget(self) -> None:
        """End all runs."""
        self._live.stop()
        super().forget()

    def close(self) -> None:
        """End all runs, and leave the page."""
        super().close()
        self._live.close()
