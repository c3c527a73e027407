"""The reproductions by name, with their settings."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from explorer.reproduce.ba_caruana import BaCaruanaSettings, ba_caruana
from explorer.reproduce.digits import Digits
from explorer.reproduce.distilled import Distillation
from explorer.reproduce.dropneuron import DropSettings, dropneuron
from explorer.reproduce.hinton import HintonSettings, hinton
from explorer.reproduce.obd import ObdSettings, obd
from explorer.reproduce.record import PUBLISHED, Moment, Reproduction
from explorer.reproduce.student import StudentSettings, student
from explorer.train.penalties import L1, IncomingNorm, OutgoingNorm
from explorer.train.settings import TrainSettings
from explorer.train.targets import SoftTargets
from explorer.zoo import load

HAN_300_100 = StudentSettings(
    n_weights=21_800,
    prune=Distillation(n_epochs=30, learning_rate=0.06, max_shift=1),
    teacher="lenet-5",
)
HAN_5 = StudentSettings(
    n_weights=35_500,
    prune=Distillation(n_epochs=6, learning_rate=0.03, max_shift=1),
)
DEEP_300_100 = StudentSettings(
    n_weights=10_000,
    prune=Distillation(n_epochs=30, learning_rate=0.06, max_shift=1),
    max_error=0.0158,
    n_clusters={"*": 8},
    share=Distillation(n_epochs=4, learning_rate=0.02, weight_decay=0.0, max_shift=1, seed=1),
)
DEEP_5 = StudentSettings(
    n_weights=12_000,
    prune=Distillation(n_epochs=5, learning_rate=0.03, max_shift=1),
    max_error=0.0080,
    n_clusters={"conv1": 16, "conv2": 8, "fc1": 8, "fc2": 8},
    share=Distillation(n_epochs=1, learning_rate=0.01, weight_decay=0.0, max_shift=1, seed=1),
)
RECORD_5 = StudentSettings(
    n_neurons={"conv1": 6, "conv2": 12, "fc1": 24},
    n_weights=1100,
    max_error=0.009,
    n_clusters={"*": 12},
    prune=Distillation(
        n_epochs=40, learning_rate=0.04, batch_size=64, weight_decay=2e-5, max_shift=1
    ),
    share=Distillation(n_epochs=4, learning_rate=0.02, weight_decay=0.0, max_shift=1, seed=1),
)
_EPOCH = 1_000_000
DROP_5 = DropSettings(
    penalties=(
        L1(strength=5e-5, pattern="fc*"),
        IncomingNorm(strength=1e-3, pattern="fc*"),
        OutgoingNorm(strength=1e-3, pattern="fc*"),
    ),
    train=TrainSettings(n_epochs=5, learning_rate=0.03, max_shift=1, report_every=_EPOCH),
    threshold=1e-2,
    n_left={"fc1": 5600, "fc2": 800},
    n_stages=4,
    retrain=TrainSettings(n_epochs=2, learning_rate=0.03, max_shift=1, seed=1, report_every=_EPOCH),
)
HINTON = HintonSettings(
    train=TrainSettings(
        n_epochs=40,
        batch_size=256,
        optimizer="adam",
        learning_rate=0.001,
        report_every=_EPOCH,
    ),
    target=SoftTargets(temperature=20.0, mix=1.0),
)
BA_CARUANA = BaCaruanaSettings(
    n_weights=318_000,
    train=TrainSettings(
        n_epochs=40,
        batch_size=128,
        optimizer="adam",
        learning_rate=0.001,
        report_every=_EPOCH,
    ),
    n_images=10_000,
)


@dataclass(frozen=True)
class Plan:
    """One reproduction.

    `network`: the bundled network that it starts from. `method`: ``method(name, net, digits,
    settings, published)`` yields moments, then the result. `settings`: a frozen dataclass, of the
    kind that `method` takes.
    """

    network: str
    method: Callable[..., Generator[Moment | Reproduction, None, None]]
    settings: Any


PLANS = {
    "han2015-lenet-300-100": Plan("lenet-300-100", student, HAN_300_100),
    "han2015-lenet-5": Plan("lenet-5", student, HAN_5),
    "deep-compression-lenet-300-100": Plan("lenet-300-100", student, DEEP_300_100),
    "deep-compression-lenet-5": Plan("lenet-5", student, DEEP_5),
    "dropneuron-lenet-5": Plan("lenet-5", dropneuron, DROP_5),
    "obd": Plan("lenet-300-100", obd, ObdSettings()),
    "record-lenet-5": Plan("lenet-5", student, RECORD_5),
    "hinton-mnist": Plan("mnist-teacher", hinton, HINTON),
    "ba-caruana-mnist": Plan("mnist-teacher", ba_caruana, BA_CARUANA),
}


def names() -> tuple[str, ...]:
    """Return what `run` takes."""
    return tuple(PLANS)


def run(
    name: str, *, digits: Digits | None = None, settings: Any = None
) -> Generator[Moment | Reproduction, None, None]:
    """Reproduce a published result.

    `name`: one of `names`. `digits`: by default MNIST, read or downloaded as `Digits.mnist` says.
    `settings`: in place of those in `PLANS`, and of the same kind. Yields: after each epoch, or
    point; once, last. Raises ValueError if the name is unknown. Raises TypeError if the settings
    are of another kind. Raises DataUnavailable if MNIST is neither there nor can be downloaded.
    """
    if name not in PLANS:
        raise ValueError(f"name: expected one of {', '.join(PLANS)}; got {name!r}")
    plan = PLANS[name]
    settings = plan.settings if settings is None else settings
    if type(settings) is not type(plan.settings):
        raise TypeError(
            f"settings: expected {type(plan.settings).__name__} for {name!r}; "
            f"got {type(settings).__name__}"
        )
    net = load(plan.network).net
    return plan.method(name, net, digits or Digits.mnist(), settings, PUBLISHED[name])
