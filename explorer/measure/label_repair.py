"""Wrong labels that a teacher puts right, and a bias that is put right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.measure.accuracy import Accuracy, count_hits
from explorer.measure.soft_targets import check_logits


@dataclass(frozen=True, eq=False)
class CorrectedLabels:
    """What a teacher makes of labels some of which are wrong.

    `corrupted`: shape (n_corrupted,), int64; positions of the wrong labels, rising. `corrected`:
    shape (n_corrected,), int64; positions of those for which the teacher gives the true class.
    `believed`: shape (n_believed,), int64; positions of those for which it gives the wrong label.
    `spoiled`: shape (n_spoiled,), int64; positions of right labels that it contradicts. `n`: labels
    in all.
    """

    corrupted: Tensor
    corrected: Tensor
    believed: Tensor
    spoiled: Tensor
    n: int

    @property
    def n_corrupted(self) -> int:
        """Labels that are wrong."""
        return len(self.corrupted)

    @property
    def n_corrected(self) -> int:
        """Wrong labels that the teacher puts right."""
        return len(self.corrected)

    @property
    def share(self) -> float:
        """Share of the wrong labels that are put right; NaN where none is wrong."""
        return self.n_corrected / self.n_corrupted if self.n_corrupted else float("nan")


def corrected(teacher_logits: Tensor, noisy: Tensor, true: Tensor, mask: Tensor) -> CorrectedLabels:
    """Tell which wrong labels a teacher puts right.

    `teacher_logits`: shape (n, n_classes). `noisy`, `true`: shape (n,), integer; the labels as they
    are, and as they should be. `mask`: shape (n,), bool; true where the label is wrong. Raises
    TypeError, ValueError if the shapes or types do not fit, or `mask` is not where the labels
    differ.

    References
    ----------
    Ba, Caruana. "Do deep nets really need to be deep?". NeurIPS 2014. arXiv:1312.6184.

    Examples
    --------
    >>> logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
    >>> noisy, true = torch.tensor([1, 1]), torch.tensor([0, 1])
    >>> corrected(logits, noisy, true, torch.tensor([True, False])).n_corrected
    1
    """
    check_logits("teacher_logits", teacher_logits)
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise TypeError("mask must be a bool tensor, True where the label is wrong")
    n = len(teacher_logits)
    for name, tensor in (("noisy", noisy), ("true", true), ("mask", mask)):
        if tensor.shape != (n,):
            raise ValueError(
                f"{name} must be of shape ({n},), one for each row of teacher_logits; got "
                f"{tuple(tensor.shape)}"
            )
    if not torch.equal(noisy != true, mask):
        raise ValueError("mask must be True exactly where noisy and true differ")
    answers = teacher_logits.argmax(1)
    return CorrectedLabels(
        corrupted=_positions(mask),
        corrected=_positions(mask & (answers == true)),
        believed=_positions(mask & (answers == noisy)),
        spoiled=_positions(~mask & (answers != true)),
        n=n,
    )


def _positions(where: Tensor) -> Tensor:
    return where.nonzero().flatten()


@dataclass(frozen=True, eq=False)
class Relabeled:
    """A sample whose label is wrong.

    `sample`: its number. `label`, `true`, `answer`: the label, the true class, and the class that
    the teacher gives. `pixels`: shape (height, width, channels), uint8; None where it is no image.
    """

    sample: int
    label: str
    true: str
    answer: str
    pixels: Tensor | None


@dataclass(frozen=True, eq=False)
class NoisyLabels:
    """Which wrong labels a teacher puts right.

    `pictures`: the first of those that are put right.
    """

    corrected: CorrectedLabels
    pictures: tuple[Relabeled, ...]


@dataclass(frozen=True)
class BiasEffect:
    """Accuracy before and after a bias is raised.

    `label`: the class whose bias it is. `name`: its name. `amount`: what is added to its logit.
    `class_before`, `class_after`: on samples of the class. `before`, `after`: on all samples.
    """

    label: int
    name: str
    amount: float
    class_before: Accuracy
    class_after: Accuracy
    before: Accuracy
    after: Accuracy


def bias_effect(
    logits: Tensor, labels: Tensor, label: int, amount: float, classes: Sequence[str] = ()
) -> BiasEffect:
    """Tell what raising the bias of a class does, from logits alone.

    `logits`: shape (n, n_classes). `labels`: shape (n,), integer. `label`: the class. `amount`:
    added to its logit; finite. `classes`: names of the classes; by default their numbers. Raises
    ValueError if no sample is of the class, the logits have no such class, or `amount` is not
    finite.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.

    Examples
    --------
    >>> import torch
    >>> logits = torch.tensor([[2.0, 1.0], [2.0, 0.0]])
    >>> found = bias_effect(logits, torch.tensor([1, 0]), label=1, amount=1.5)
    >>> found.before.top1, found.after.top1, found.class_after.top1
    (0.5, 1.0, 1.0)
    """
    if not 0 <= label < logits.shape[1]:
        raise ValueError(f"label must be from 0 to {logits.shape[1] - 1}; got {label}")
    if not math.isfinite(amount):
        raise ValueError(f"amount must be finite; got {amount!r}")
    own = labels == label
    if not bool(own.any()):
        raise ValueError(f"label: no sample is of class {label}; name another")
    raised = logits.clone()
    raised[:, label] += amount
    return BiasEffect(
        label=label,
        name=classes[label] if classes else str(label),
        amount=amount,
        class_before=_accuracy(logits[own], labels[own]),
        class_after=_accuracy(raised[own], labels[own]),
        before=_accuracy(logits, labels),
        after=_accuracy(raised, labels),
    )


def _accuracy(logits: Tensor, labels: Tensor) -> Accuracy:
    return Accuracy.from_counts(*count_hits(logits, labels), len(labels))
