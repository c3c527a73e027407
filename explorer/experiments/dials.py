"""Dials of experiments, composed of those of the settings, penalties and targets of training."""

from __future__ import annotations

from typing import Any

from explorer.compress.methods.setting import dial_of, known_dial
from explorer.train.penalties import Penalty
from explorer.train.settings import TrainSettings
from explorer.train.targets import SoftTargets

BATCH, OFF = 64, 1e-7


def epochs(default: int, label: str = "Epochs") -> Any:
    """Field: passes over the data."""
    words = known_dial(TrainSettings, "n_epochs").help.replace("batch", str(BATCH))
    return dial_of(TrainSettings, "n_epochs", default, label=label, help=words, low=1, high=30)


def learning_rate(default: float, high: float = 0.3) -> Any:
    """Field: the learning rate."""
    return dial_of(TrainSettings, "learning_rate", default, high=high)


def strength(kind: type[Penalty], default: float) -> Any:
    """Field: a penalty's factor, off at its left end."""
    label = f"{kind.name} strength λ (left: off)"
    return dial_of(kind, "strength", default, label=label, low=OFF, high=1e-1, off=True)


def temperature(default: float = 4.0) -> Any:
    """Field: the temperature of soft targets."""
    return dial_of(SoftTargets, "temperature", default, label="Temperature T in training")


def teacher_share(default: float = 0.9) -> Any:
    """Field: the teacher's share in the loss."""
    return dial_of(SoftTargets, "mix", default)


def used(*penalties: Penalty) -> tuple[Penalty, ...]:
    """Return the penalties that are not off."""
    return tuple(penalty for penalty in penalties if penalty.strength > OFF)
