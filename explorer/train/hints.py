"""Hints: outputs of a layer of the teacher as targets (FitNets)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from explorer.compress.methods.setting import dial
from explorer.train.settings import check_positive
from explorer.train.targets import SoftTargets, Target


class LayerOutput:
    """The output of one layer, filled in while the network runs.

    `value`: a copy of the last output, with its gradient; None before the layer ran.
    """

    value: Tensor | None = None

    @property
    def output(self) -> Tensor:
        """The output; raise ValueError where the layer did not run."""
        if self.value is None:
            raise ValueError("the layer did not run: run the network first")
        return self.value


def layer_named(net: nn.Module, name: str, whose: str) -> nn.Module:
    """Return the module of that name.

    `name`: torch's qualified name. `whose`: for the error, such as ``"Hints: teacher_layer"``.
    Raises ValueError if there is none; the message lists those there are.
    """
    known = {key: module for key, module in net.named_modules() if key}
    if name not in known:
        raise ValueError(f"{whose} {name!r} is no layer; the layers are: {', '.join(known)}")
    return known[name]


@contextmanager
def watched(net: nn.Module, name: str, whose: str) -> Iterator[LayerOutput]:
    """Catch a layer's output while the network runs within the block.

    `name`, `whose`: as for `layer_named`. Raises ValueError if the layer did not run within the
    block. Raises TypeError if it gave something else than a tensor of shape (n, ...).
    """
    found = LayerOutput()

    def catch(module: nn.Module, inputs: Any, output: Any) -> None:
        if not isinstance(output, Tensor) or output.ndim < 2:
            raise TypeError(
                f"{whose} {name!r} must give a tensor of shape (n, ...); got "
                f"{tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__}"
            )
        found.value = output.clone()

    handle = layer_named(net, name, whose).register_forward_hook(catch)
    try:
        yield found
    finally:
        handle.remove()
    if found.value is None:
        raise ValueError(f"{whose} {name!r} does not run when the network does: name another")


@dataclass(frozen=True)
class Hints(Target):
    """A middle layer of the teacher that a layer of the student is to predict, as well.

    The student's layer goes through a regressor that is trained along and then thrown away.
    ``strength`` times the mean squared error is added to the loss of `target`. The paper
    trains on the hint first and on the answers afterwards; here both are one loss.

    Parameters
    ----------
    teacher_layer, student_layer : str
        Torch's qualified names of the modules whose outputs are compared.
    strength : float
        Finite and at least 0.
    target : Target
        What the student's answers are compared with.

    References
    ----------
    Romero, Ballas, Kahou, Chassang, Gatta, Bengio. "FitNets: hints for thin deep nets".
    ICLR 2015. arXiv:1412.6550.
    """

    name: ClassVar[str] = "Hints"
    latex: ClassVar[str] = r"L + s \, \frac{1}{M} \, \sum_j (r_j - u_j)^{2}"

    teacher_layer: str
    student_layer: str
    strength: float = dial(
        1.0,
        "number",
        "Strength s",
        "Weight s of the hint: loss = loss on the answers + s · Σ (r − u)² / M, where the student "
        "predicts r for the M outputs u of a layer of the teacher.",
        low=1e-3,
        high=1e2,
    )
    target: Target = field(default_factory=SoftTargets)

    def __post_init__(self) -> None:
        check_positive("Hints", "strength", self.strength, or_zero=True)
        for name in ("teacher_layer", "student_layer"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise TypeError(f"Hints: {name} must be a layer's name; got {value!r}")
        if not isinstance(self.target, Target) or isinstance(self.target, Hints):
            raise TypeError(
                "Hints: target must be HardLabels(), MatchLogits() or SoftTargets(); "
                f"got {self.target!r:.80}"
            )

    @property
    def needs_answers(self) -> bool:
        """Whether `target` takes the teacher's logits."""
        return self.target.needs_answers

    def parts(self, scores: Tensor, labels: Tensor, answers: Tensor) -> dict[str, Tensor]:
        """Return the parts of `target`; the hint's own needs the layers' outputs."""
        return self.target.parts(scores, labels, answers)

    def describe(self) -> str:
        """Say the target in a few words."""
        return f"{self.target.describe()}, with hints from {self.teacher_layer}"


def regressor(student: torch.Size, teacher: torch.Size, seed: int) -> nn.Module:
    """Make a layer from the outputs of a student's layer to those of a teacher's.

    `student`, `teacher`: shapes of the two outputs without the batch. `seed`: of the first weights;
    the random state of others is left alone. Returns: between feature maps (channels, height,
    width) a convolution without padding whose kernel is as large as the maps' sizes ask for: 1x1
    for equal ones; a transposed one where the teacher's maps are larger. For all else a dense layer
    of the flattened outputs.

    References
    ----------
    Romero, Ballas, Kahou, Chassang, Gatta, Bengio. "FitNets: hints for thin deep nets".
    ICLR 2015. arXiv:1412.6550.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if len(student) == len(teacher) == 3:
            falls = [s - t for s, t in zip(student[1:], teacher[1:], strict=True)]
            if min(falls) >= 0:
                return nn.Conv2d(student[0], teacher[0], (falls[0] + 1, falls[1] + 1))
            if max(falls) <= 0:
                return nn.ConvTranspose2d(student[0], teacher[0], (1 - falls[0], 1 - falls[1]))
        dense = nn.Linear(student.numel(), teacher.numel())
    return nn.Sequential(nn.Flatten(), dense, nn.Unflatten(1, teacher))


def hint_error(regress: nn.Module, student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean squared error of the teacher's layer as told from the student's.

    `regress`: as `regressor` makes it. `student`, `teacher`: shape (n, ...); outputs of the two
    layers for the same samples.
    """
    return nn.functional.mse_loss(regress(student), teacher)
