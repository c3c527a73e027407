"""What a plan of distillation is given: a teacher, and what makes students."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from explorer.compress.copied import copied
from explorer.compress.weights import compressible
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Score
from explorer.measure.students import Graduate
from explorer.session.trainee import Trainee
from explorer.train.fresh import fresh
from explorer.train.teacher import check_teacher

Maker = Callable[[int], nn.Module]


@dataclass(frozen=True, eq=False)
class Pupil(Trainee):
    """A teacher with its data, and what makes students.

    Attributes
    ----------
    makers : mapping of str to callable
        Makes networks with random weights: ``"wide"`` from the width of two hidden layers,
        others from a number of parameters. All fit the data and the teacher's classes.
    own : Module or None
        A student of the person's own.
    logits : callable or None
        Returns the teacher's logits for the samples that are trained on.

    Raises
    ------
    ValueError
        If the data have not two parts, or part of the teacher is in train mode.
    """

    makers: Mapping[str, Maker] = field(default_factory=dict)
    own: nn.Module | None = None
    logits: Callable[[], Tensor] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_teacher(self.net)

    def student(self, width: int | None, seed: int) -> nn.Module:
        """Make a student: one with two hidden layers, or the person's own.

        The person's own keeps the weights that it came with for the first seed; for others its
        layers draw new ones, where they can.
        """
        if self.own is None:
            return fresh(lambda: self.makers["wide"](width or 1), seed)
        return self.own if seed == 0 else fresh(lambda: redrawn(self.own), seed)

    def graduate(
        self, name: str, net: nn.Module, accuracy: Accuracy | Score, **more: object
    ) -> Graduate:
        """Put down what a network came to."""
        return Graduate(name, accuracy, n_parameters(net), **more)  # type: ignore[arg-type]


def redrawn(net: nn.Module | None) -> nn.Module:
    """Return a copy of a network whose layers have drawn new weights, where they can."""
    found = copied(net) if net is not None else nn.Identity()
    for module in found.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
    return found


def n_parameters(net: nn.Module) -> int:
    """Return the parameters of a network, biases included."""
    return sum(parameter.numel() for parameter in net.parameters())


def middle_layer(net: nn.Module, whose: str) -> str:
    """Return the middle one of a network's layers with weights, the last one aside.

    Raises
    ------
    ValueError
        If there is but one layer.
    """
    hidden = list(compressible(net))[:-1]
    if not hidden:
        raise ValueError(
            f"target: hints need a layer in the middle, and the {whose} has none; choose soft "
            "targets or logits"
        )
    return hidden[(len(hidden) - 1) // 2]
