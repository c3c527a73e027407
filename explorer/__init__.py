"""Compression Explorer: see what compressing a neural network does.

Load a trained network, turn a dial, and the network is really recompressed: weights,
bytes, accuracy follow.

Names are imported when they are first asked for, so that servers and the command line start
without torch.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.codec.header import DamagedFile
    from explorer.codec.model import CompressedModel
    from explorer.compress.methods.binarize import Binarize
    from explorer.compress.methods.entropy import Entropy
    from explorer.compress.methods.low_rank import LowRank
    from explorer.compress.methods.neurons import PruneNeurons
    from explorer.compress.methods.product import Product
    from explorer.compress.methods.prune import Prune
    from explorer.compress.methods.quantize import Quantize
    from explorer.compress.methods.relative_index import RelativeIndex
    from explorer.compress.methods.residual import Residual
    from explorer.compress.methods.share import Share
    from explorer.compress.networks.recipe import Recipe, recipe_from_json
    from explorer.history.state import State
    from explorer.library import compress
    from explorer.library import open_model as open
    from explorer.measure.accuracy import Accuracy, evaluate
    from explorer.measure.metric import Metric, Score
    from explorer.measure.profile import LayerProfile, profile
    from explorer.measure.result import LayerFigures, Result
    from explorer.page.app import Explorer
    from explorer.session import Session
    from explorer.sweep.budget import Fitted, fit_budget
    from explorer.sweep.curves import CurvePoint, frontier, method_curves
    from explorer.sweep.point import Point
    from explorer.sweep.run import sweep
    from explorer.sweep.sensitivity import SensitivityPoint, sensitivity
    from explorer.sweep.workers import WorkerProcesses
    from explorer.train.checkpoint import Checkpoint
    from explorer.train.distillation import distill
    from explorer.train.hints import Hints
    from explorer.train.neurons import drop_neurons
    from explorer.train.penalties import L1, L2, IncomingNorm, OutgoingNorm
    from explorer.train.record import TrainRecord
    from explorer.train.recovery import recover
    from explorer.train.retraining import gradual, retrain
    from explorer.train.settings import TrainSettings
    from explorer.train.sharing import train_shared
    from explorer.train.targets import HardLabels, MatchLogits, SoftTargets
    from explorer.train.teacher import teacher_logits
    from explorer.train.training import train
    from explorer.zoo import Data, DataUnavailable, WeightsUnavailable, catalog, load

__all__ = [
    "L1",
    "L2",
    "Accuracy",
    "Binarize",
    "Checkpoint",
    "CompressedModel",
    "CurvePoint",
    "DamagedFile",
    "Data",
    "DataUnavailable",
    "Entropy",
    "Explorer",
    "Fitted",
    "HardLabels",
    "Hints",
    "IncomingNorm",
    "LayerFigures",
    "LayerProfile",
    "LowRank",
    "MatchLogits",
    "Metric",
    "OutgoingNorm",
    "Point",
    "Product",
    "Prune",
    "PruneNeurons",
    "Quantize",
    "Recipe",
    "RelativeIndex",
    "Residual",
    "Result",
    "Score",
    "SensitivityPoint",
    "Session",
    "Share",
    "SoftTargets",
    "State",
    "TrainRecord",
    "TrainSettings",
    "WeightsUnavailable",
    "WorkerProcesses",
    "catalog",
    "compress",
    "distill",
    "drop_neurons",
    "evaluate",
    "fit_budget",
    "frontier",
    "gradual",
    "load",
    "method_curves",
    "open",
    "profile",
    "recipe_from_json",
    "recover",
    "retrain",
    "sensitivity",
    "sweep",
    "teacher_logits",
    "train",
    "train_shared",
]

_HOMES = {
    "Accuracy": "explorer.measure.accuracy",
    "Metric": "explorer.measure.metric",
    "Score": "explorer.measure.metric",
    "Binarize": "explorer.compress.methods.binarize",
    "Checkpoint": "explorer.train.checkpoint",
    "CompressedModel": "explorer.codec.model",
    "CurvePoint": "explorer.sweep.curves",
    "DamagedFile": "explorer.codec.header",
    "Data": "explorer.zoo",
    "DataUnavailable": "explorer.zoo",
    "Entropy": "explorer.compress.methods.entropy",
    "Explorer": "explorer.page.app",
    "Fitted": "explorer.sweep.budget",
    "HardLabels": "explorer.train.targets",
    "Hints": "explorer.train.hints",
    "IncomingNorm": "explorer.train.penalties",
    "L1": "explorer.train.penalties",
    "L2": "explorer.train.penalties",
    "LayerFigures": "explorer.measure.result",
    "LayerProfile": "explorer.measure.profile",
    "LowRank": "explorer.compress.methods.low_rank",
    "MatchLogits": "explorer.train.targets",
    "OutgoingNorm": "explorer.train.penalties",
    "Point": "explorer.sweep.point",
    "Product": "explorer.compress.methods.product",
    "Prune": "explorer.compress.methods.prune",
    "PruneNeurons": "explorer.compress.methods.neurons",
    "Quantize": "explorer.compress.methods.quantize",
    "Recipe": "explorer.compress.networks.recipe",
    "RelativeIndex": "explorer.compress.methods.relative_index",
    "Residual": "explorer.compress.methods.residual",
    "Result": "explorer.measure.result",
    "SensitivityPoint": "explorer.sweep.sensitivity",
    "Session": "explorer.session",
    "Share": "explorer.compress.methods.share",
    "SoftTargets": "explorer.train.targets",
    "State": "explorer.history.state",
    "TrainRecord": "explorer.train.record",
    "TrainSettings": "explorer.train.settings",
    "WeightsUnavailable": "explorer.zoo",
    "WorkerProcesses": "explorer.sweep.workers",
    "catalog": "explorer.zoo",
    "compress": "explorer.library",
    "distill": "explorer.train.distillation",
    "drop_neurons": "explorer.train.neurons",
    "evaluate": "explorer.measure.accuracy",
    "fit_budget": "explorer.sweep.budget",
    "frontier": "explorer.sweep.curves",
    "gradual": "explorer.train.retraining",
    "load": "explorer.zoo",
    "method_curves": "explorer.sweep.curves",
    "open": "explorer.library",
    "profile": "explorer.measure.profile",
    "recipe_from_json": "explorer.compress.networks.recipe",
    "recover": "explorer.train.recovery",
    "retrain": "explorer.train.retraining",
    "sensitivity": "explorer.sweep.sensitivity",
    "sweep": "explorer.sweep.run",
    "teacher_logits": "explorer.train.teacher",
    "train": "explorer.train.training",
    "train_shared": "explorer.train.sharing",
}
_OWN_NAMES = {"open": "open_model"}


class _Package(ModuleType):
    """The package, whose function `compress` goes before its subpackage of that name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'explorer' has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name]), _OWN_NAMES.get(name, name))
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return __all__


sys.modules[__name__].__class__ = _Package
