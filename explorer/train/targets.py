"""What a student learns from: labels, a teacher's logits, or its softened answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from explorer.compress.methods.setting import check_fraction, dial
from explorer.train.settings import check_positive


@dataclass(frozen=True)
class Target(ABC):
    """What a student's answers are compared with.

    `name`: short, as the lecture has it. `latex`: the loss of one sample, in symbols.
    """

    name: ClassVar[str]
    latex: ClassVar[str]

    @property
    def needs_answers(self) -> bool:
        """Whether the loss takes the teacher's logits."""
        return True

    @abstractmethod
    def parts(self, scores: Tensor, labels: Tensor, answers: Tensor) -> dict[str, Tensor]:
        """Return the terms of the loss.

        `scores`, `answers`: shape (n, n_classes); logits of the student and of the teacher; the
        teacher's are not looked at where `needs_answers` is False. `labels`: shape (n,), int64.
        Returns: scalars by name, with their factors; the loss is their sum. Differentiable.
        """

    @abstractmethod
    def describe(self) -> str:
        """Say the target in a few words."""


@dataclass(frozen=True)
class HardLabels(Target):
    """The cross-entropy with the labels: no teacher.

    Examples
    --------
    >>> import torch
    >>> HardLabels().parts(torch.zeros(1, 2), torch.tensor([1]), torch.zeros(1, 2))
    {'hard': tensor(0.6931)}
    """

    name: ClassVar[str] = "Hard labels"
    latex: ClassVar[str] = r"-\log q_y"

    @property
    def needs_answers(self) -> bool:
        """No."""
        return False

    def parts(self, scores: Tensor, labels: Tensor, answers: Tensor) -> dict[str, Tensor]:
        """Return the mean cross-entropy, in nats, as ``"hard"``."""
        return {"hard": F.cross_entropy(scores, labels)}

    def describe(self) -> str:
        """Say the target in a few words."""
        return "the labels"


@dataclass(frozen=True)
class MatchLogits(Target):
    """The squared distance from the teacher's logits, before the softmax; no labels.

    The mean over samples and classes. Logits are not centered: a student learns their
    common offset as well.

    References
    ----------
    Ba, Caruana. "Do deep nets really need to be deep?". NeurIPS 2014. arXiv:1312.6184.

    Examples
    --------
    >>> import torch
    >>> MatchLogits().parts(torch.zeros(1, 2), torch.tensor([1]), torch.tensor([[3.0, 1.0]]))
    {'logits': tensor(5.)}
    """

    name: ClassVar[str] = "Match logits"
    latex: ClassVar[str] = r"\frac{1}{N} \, \sum_i (z_i - v_i)^{2}"

    def parts(self, scores: Tensor, labels: Tensor, answers: Tensor) -> dict[str, Tensor]:
        """Return the mean squared error as ``"logits"``."""
        return {"logits": F.mse_loss(scores, answers)}

    def describe(self) -> str:
        """Say the target in a few words."""
        return "the teacher's logits"


@dataclass(frozen=True)
class SoftTargets(Target):
    r"""The teacher's answers softened by a temperature, mixed with the labels.

    The loss is ``mix * T**2 * KL(p || q) + (1 - mix) * H(y, q at T = 1)``, where p and q are
    the softmax of the teacher's and of the student's logits divided by T. The factor
    ``T**2`` keeps the size of the gradients as T changes.

    Parameters
    ----------
    temperature : float
        T, positive and finite.
    mix : float
        Share of the teacher's answers, in [0, 1]; the labels have the rest.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.

    Examples
    --------
    >>> import torch
    >>> scores = torch.tensor([[1.0, 0.0]])
    >>> SoftTargets(mix=1.0).parts(scores, torch.tensor([1]), scores)
    {'soft': tensor(0.)}
    """

    name: ClassVar[str] = "Soft targets"
    latex: ClassVar[str] = r"m \, T^{2} \, \sum_i p_i \log \frac{p_i}{q_i} - (1 - m) \log q_y"

    temperature: float = dial(
        4.0,
        "number",
        "Temperature T",
        "T > 1 softens the teacher's answers: pᵢ = exp(zᵢ / T) / Σ exp(zⱼ / T). Higher shows more "
        "of which classes it finds alike; too high, and all classes look the same.",
        low=0.5,
        high=30.0,
    )
    mix: float = dial(
        0.9,
        "fraction",
        "Teacher's share m",
        "Weight m of the teacher's answers in the loss, m · T² · KL(p, q) + (1 − m) · CE(y, q). "
        "At 100% the student hears the teacher alone, at 0% the labels alone.",
    )

    def __post_init__(self) -> None:
        check_positive("SoftTargets", "temperature", self.temperature)
        if self.mix is None:
            raise TypeError("SoftTargets: mix must be a number in [0, 1]; got None")
        check_fraction("SoftTargets", "mix", self.mix)

    @property
    def needs_answers(self) -> bool:
        """Whether the teacher has a share."""
        return self.mix > 0

    def parts(self, scores: Tensor, labels: Tensor, answers: Tensor) -> dict[str, Tensor]:
        """Return ``"soft"`` and ``"hard"``, in nats; one without a share is left out."""
        found = {}
        if self.mix > 0:
            found["soft"] = self.mix * self.temperature**2 * self.divergence(scores, answers)
        if self.mix < 1:
            found["hard"] = (1 - self.mix) * F.cross_entropy(scores, labels)
        return found

    def divergence(self, scores: Tensor, answers: Tensor) -> Tensor:
        """Return the mean of KL(p || q) over samples, in nats, without factors.

        Parameters
        ----------
        scores, answers : Tensor, shape (n, n_classes)
            Logits of the student and of the teacher.

        Returns
        -------
        Tensor, shape ()
        """
        student, teacher = (F.log_softmax(z / self.temperature, 1) for z in (scores, answers))
        return F.kl_div(student, teacher, reduction="batchmean", log_target=True)

    def describe(self) -> str:
        """Say the target in a few words."""
        return f"{self.mix:.0%} the teacher's answers at T = {self.temperature:.3g}"
