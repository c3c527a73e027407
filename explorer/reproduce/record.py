"""Reproduction, Moment, Goal: records of a reproduction and published figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from explorer.codec.model import CompressedModel
from explorer.measure.accuracy import Accuracy


@dataclass(frozen=True)
class Published:
    """Figures that a paper prints.

    `source`: authors, title, year, arXiv number. `figures`: by name; ratios and counts as printed,
    errors and shares as fractions.
    """

    source: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Goal:
    """A bound that a figure should keep.

    `figure`: its name among the reached figures. `low`, `high`: least and greatest value allowed;
    None for no bound.
    """

    figure: str
    low: float | None = None
    high: float | None = None

    def met(self, figures: Mapping[str, float]) -> bool:
        """Whether the figure keeps the bound, the ends included."""
        value = figures[self.figure]
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True)
class Moment:
    """Where a reproduction stands.

    `stage`: what is being done, such as ``"prune"`` or ``"share"``. `epoch`: epochs done in all
    stages. `density`: share of the weights of the original network that are left. `size_bytes`: of
    the file that would be written now. `accuracy`: top-1, on the validation images; a fraction.
    `seconds`: since the start.
    """

    stage: str
    epoch: int
    density: float
    size_bytes: int
    accuracy: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Reproduction:
    """A published result, reproduced.

    `name`: as `run` takes it. `reached`: our figures, under the same names where the paper has
    them. `goals`: what counts as reproduced. `accuracy`, `dense_accuracy`: of the network restored
    from the file, and of the network it was made of or taught by, on the test images. `validation`:
    of the restored network on the images that settings were chosen by. `seconds`: from start to
    end, measuring included. `settings`: what it was made with, as JSON can hold it. `cpu_seconds`:
    of processor time, all threads together; `seconds` is longer where other programs run. `curves`:
    by method, where that is the result: accuracy on the test images, or another share of them, over
    density or over seeds. `model`: what is written to the file. `networks`: trained networks by
    name, which are kept in half precision.
    """

    name: str
    published: Published
    reached: Mapping[str, float]
    goals: tuple[Goal, ...]
    accuracy: Accuracy
    dense_accuracy: Accuracy
    validation: Accuracy
    seconds: float
    settings: Mapping[str, Any]
    cpu_seconds: float | None = None
    history: tuple[Moment, ...] = ()
    curves: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    model: CompressedModel | None = field(default=None, repr=False)
    networks: Mapping[str, nn.Module] = field(default_factory=dict, repr=False)

    @property
    def reproduced(self) -> bool:
        """Whether all goals are met."""
        return all(goal.met(self.reached) for goal in self.goals)

    @property
    def missed(self) -> tuple[str, ...]:
        """Names of the figures that miss their goal."""
        return tuple(goal.figure for goal in self.goals if not goal.met(self.reached))

    def as_dict(self) -> dict[str, Any]:
        """Return all but the model and the networks, as JSON can hold it."""
        return {
            "name": self.name,
            "published": asdict(self.published),
            "reached": dict(self.reached),
            "goals": [asdict(goal) for goal in self.goals],
            "reproduced": self.reproduced,
            "test": asdict(self.accuracy),
            "test_dense": asdict(self.dense_accuracy),
            "validation": asdict(self.validation),
            "seconds": round(self.seconds, 1),
            "cpu_seconds": None if self.cpu_seconds is None else round(self.cpu_seconds, 1),
            "settings": dict(self.settings),
            "history": [asdict(moment) for moment in self.history],
            "curves": {name: [list(p) for p in curve] for name, curve in self.curves.items()},
        }

    def to_json(self) -> str:
        """Return all but the model and the networks as text."""
        return json.dumps(self.as_dict(), indent=1)


HAN2015 = (
    "Han, Pool, Tran, Dally. Learning both weights and connections for efficient neural "
    "networks. NeurIPS 2015. arXiv:1506.02626"
)
DEEP_COMPRESSION = (
    "Han, Mao, Dally. Deep compression: compressing deep neural networks with pruning, trained "
    "quantization and Huffman coding. ICLR 2016. arXiv:1510.00149"
)
DROPNEURON = (
    "Pan, Dong, Guo. DropNeuron: simplifying the structure of deep neural networks. 2016. "
    "arXiv:1606.07326"
)
OBD = "LeCun, Denker, Solla. Optimal brain damage. NeurIPS 1989"
BAYESIAN = (
    "Louizos, Ullrich, Welling. Bayesian compression for deep learning. NeurIPS 2017. "
    "arXiv:1705.08665"
)
DISTILLATION = (
    "Hinton, Vinyals, Dean. Distilling the knowledge in a neural network. 2015. arXiv:1503.02531"
)
DO_DEEP = (
    "Ba, Caruana. Do deep nets really need to be deep? NeurIPS 2014. arXiv:1312.6184; its "
    "figures are for speech (TIMIT, shallow networks of 8,000 hidden units)"
)

PUBLISHED = {
    "han2015-lenet-300-100": Published(
        HAN2015, {"rate": 12, "error": 0.0159, "error_ref": 0.0164, "n_weights": 22_000}
    ),
    "han2015-lenet-5": Published(
        HAN2015, {"rate": 12, "error": 0.0077, "error_ref": 0.0080, "n_weights": 36_000}
    ),
    "deep-compression-lenet-300-100": Published(
        DEEP_COMPRESSION, {"rate": 40, "error": 0.0158, "error_ref": 0.0164, "size_bytes": 27_000}
    ),
    "deep-compression-lenet-5": Published(
        DEEP_COMPRESSION, {"rate": 39, "error": 0.0074, "error_ref": 0.0080, "size_bytes": 44_000}
    ),
    "dropneuron-lenet-5": Published(
        DROPNEURON,
        {
            "fc_density": 0.0149,
            "rate": 67.04,
            "accuracy": 0.9907,
            "n_neurons": 1027,
            "n_neurons_ref": 3658,
        },
    ),
    "obd": Published(OBD, {}),
    "hinton-mnist": Published(
        DISTILLATION,
        {
            "error": 0.0074,
            "error_ref": 0.0067,
            "error_plain": 0.0146,
            "error_of_plain": 74 / 146,
        },
    ),
    "ba-caruana-mnist": Published(
        DO_DEEP, {"phone_error_labels": 0.231, "phone_error_mimic": 0.216}
    ),
    "record-lenet-5": Published(BAYESIAN, {}),
}
