"""Training experiments: dataclasses with a dial for each field, whose `run` yields events."""

from explorer.experiments.experiment import Event, Experiment, Finding
from explorer.experiments.lessons import UnseenClass, WrongLabels
from explorer.experiments.pruning import CompareNorms, Regularize, Retrain
from explorer.experiments.recovery import Recover
from explorer.experiments.structure import DropNeurons, ShareWhileTraining
from explorer.experiments.students import ShapesCompared, StudentBesideStudent

__all__ = [
    "CompareNorms",
    "DropNeurons",
    "Event",
    "Experiment",
    "Finding",
    "Recover",
    "Regularize",
    "Retrain",
    "ShapesCompared",
    "ShareWhileTraining",
    "StudentBesideStudent",
    "UnseenClass",
    "WrongLabels",
]
