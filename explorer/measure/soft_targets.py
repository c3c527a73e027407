"""A teacher's softened answers, and what they tell of classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class SoftTargetsRecord:
    """Softened answers for one image.

    `classes`: names, in the order of the outputs. `teacher`: shape (n_classes,), float64;
    probabilities at that temperature. `student`: shape (n_classes,), float64, or None; those of a
    student, where there is one. `label`: the right class; the hard target is 1 there and 0
    elsewhere.
    """

    classes: tuple[str, ...]
    temperature: float
    teacher: Tensor
    student: Tensor | None
    label: int

    @property
    def hard(self) -> Tensor:
        """The hard target, shape (n_classes,), float64."""
        return torch.nn.functional.one_hot(torch.tensor(self.label), len(self.classes)).double()

    @property
    def elsewhere(self) -> float:
        """Probability that the teacher gives to all classes but the right one."""
        return float(self._wrong.sum())

    @property
    def runner_up(self) -> int:
        """The class besides the right one that the teacher finds most likely."""
        return int(self._wrong.argmax())

    @property
    def _wrong(self) -> Tensor:
        return self.teacher * (1 - self.hard)

    def likeliest(self, most: int) -> list[int]:
        """Return at most `most` classes: all in their order, or the teacher's likeliest.

        The right one is among them, the last where the teacher finds others likelier.
        """
        n = len(self.classes)
        if n <= most:
            return list(range(n))
        best: list[int] = self.teacher.argsort(descending=True)[:most].tolist()
        return best if self.label in best else [*best[:-1], self.label]

    @property
    def teacher_bits(self) -> float:
        """Entropy of the teacher's answer, in bits."""
        return float(entropy_bits(self.teacher))

    @property
    def student_bits(self) -> float | None:
        """Entropy of the student's answer, in bits; None without a student."""
        return None if self.student is None else float(entropy_bits(self.student))

    @property
    def max_bits(self) -> float:
        """Entropy where all classes are equally likely, in bits."""
        return math.log2(len(self.classes))


def soft_targets(
    teacher: Tensor,
    temperature: float,
    label: int,
    classes: Sequence[str] = (),
    student: Tensor | None = None,
) -> SoftTargetsRecord:
    """Soften the answers of a teacher, and of a student, for one image.

    `teacher`, `student`: shape (n_classes,); Logits. `temperature`: positive and finite. `label`:
    the right class. `classes`: names of the classes; by default their numbers. Raises TypeError,
    ValueError if an argument does not fit.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.
    """
    n_classes = check_logits("teacher", teacher, 1).numel()
    if student is not None and check_logits("student", student, 1).shape != teacher.shape:
        raise ValueError(
            f"student must have as many logits as the teacher, {n_classes}; got {len(student)}"
        )
    if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < n_classes:
        raise ValueError(f"label must be an integer from 0 to {n_classes - 1}; got {label!r}")
    names = tuple(classes) or tuple(map(str, range(n_classes)))
    if len(names) != n_classes:
        raise ValueError(f"classes: expected {n_classes} names, got {len(names)}")
    learned = None if student is None else softened(student, temperature)
    return SoftTargetsRecord(names, temperature, softened(teacher, temperature), learned, label)


def softened(logits: Tensor, temperature: float) -> Tensor:
    """Return the softmax of logits divided by a temperature.

    `logits`: shape (..., n_classes), floating point. `temperature`: positive and finite. 1 is the
    usual softmax; near 0 all goes to the highest logit; the higher, the more equal. Returns: shape
    of `logits`, float64; sums to 1 over the last axis; free of overflow at any temperature. Raises
    TypeError, ValueError if logits are NaN, infinite or no numbers, or the temperature is not
    positive.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.

    Examples
    --------
    >>> softened(torch.tensor([2.0, 0.0]), temperature=1e9)
    tensor([0.5000, 0.5000], dtype=torch.float64)
    """
    check_logits("logits", logits, None)
    check_temperature(temperature)
    z = logits.detach().double()
    return ((z - z.amax(-1, keepdim=True)) / temperature).softmax(-1)


def entropy_bits(probabilities: Tensor) -> Tensor:
    """Return the entropy of distributions over the last axis, in bits.

    `probabilities`: shape (..., n_classes); at least 0, summing to 1. Returns: shape (...).

    Examples
    --------
    >>> entropy_bits(torch.tensor([0.5, 0.25, 0.25, 0.0]))
    tensor(1.5000)
    """
    return torch.special.entr(probabilities).sum(-1) / math.log(2)


def check_temperature(temperature: float) -> None:
    """Raise unless the temperature is a positive, finite number."""
    if isinstance(temperature, bool) or not isinstance(temperature, (int, float)):
        raise TypeError(f"temperature must be a number; got {temperature!r}")
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature must be finite and positive; got {temperature!r}")


def check_logits(name: str, logits: Tensor, n_axes: int | None = 2) -> Tensor:
    """Return logits; raise unless they are finite and have classes along the last axis."""
    if not isinstance(logits, Tensor) or not logits.is_floating_point():
        got = logits.dtype if isinstance(logits, Tensor) else type(logits).__name__
        raise TypeError(f"{name} must be a floating-point tensor of logits; got {got}")
    shape = {1: "(n_classes,)", 2: "(n, n_classes)", None: "(..., n_classes)"}[n_axes]
    fits = logits.ndim == n_axes if n_axes else logits.ndim > 0
    if not fits or logits.shape[-1] == 0:
        raise ValueError(f"{name} must be of shape {shape}; got {tuple(logits.shape)}")
    if not bool(torch.isfinite(logits).all()):
        raise ValueError(f"{name} must be finite; got NaN or infinite values: leave them out")
    return logits


@dataclass(frozen=True, eq=False)
class DarkKnowledge:
    """Images ranked by the probability that goes to wrong classes.

    `positions`: shape (n,), int64; of the images in the data, the one with most first. `labels`:
    shape (n,), int64; their classes, all classified rightly. `elsewhere`: shape (n,), float64;
    probability of all wrong classes together, falling. `second`: shape (n,), int64; the likeliest
    wrong class. `second_probability`: shape (n,), float64. `bits`: shape (n,), float64; entropy of
    the softened answer. `n_right`: images that were classified rightly.
    """

    positions: Tensor
    labels: Tensor
    elsewhere: Tensor
    second: Tensor
    second_probability: Tensor
    bits: Tensor
    temperature: float
    n_right: int


def dark_knowledge(
    logits: Tensor, labels: Tensor, temperature: float = 1.0, n: int = 12
) -> DarkKnowledge:
    """Rank rightly classified images by how much they resemble other classes.

    `logits`: shape (n_images, n_classes); at least 2 classes. `labels`: shape (n_images,), integer.
    `temperature`: by which logits are divided before the softmax; positive and finite. `n`: images
    to return at most, at least 1; fewer where fewer are classified rightly. Of equal ones, those
    that come first. Raises TypeError, ValueError if an argument does not fit.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.

    Examples
    --------
    >>> logits = torch.tensor([[3.0, 0.0, 1.0], [1.0, 2.0, 0.0], [0.0, 0.0, 1.0]])
    >>> found = dark_knowledge(logits, torch.tensor([0, 1, 1]))
    >>> found.positions, found.second
    (tensor([1, 0]), tensor([0, 2]))
    """
    check_logits("logits", logits)
    if logits.shape[1] < 2:
        raise ValueError(f"logits must be of at least 2 classes; got {logits.shape[1]}")
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n must be an integer of at least 1; got {n!r}")
    _check_labels(labels, logits)
    labels = labels.to(logits.device, torch.int64)
    right = (logits.argmax(1) == labels).nonzero().flatten()
    known = labels[right]
    probabilities = softened(logits[right], temperature)
    wrong = probabilities.scatter(1, known[:, None], 0.0)
    order = wrong.sum(1).argsort(descending=True, stable=True)[:n]
    chances, second = wrong[order].max(1)
    return DarkKnowledge(
        positions=right[order],
        labels=known[order],
        elsewhere=wrong[order].sum(1),
        second=second,
        second_probability=chances,
        bits=entropy_bits(probabilities[order]),
        temperature=temperature,
        n_right=len(right),
    )


def _check_labels(labels: Tensor, logits: Tensor) -> None:
    n_images, n_classes = logits.shape
    if not isinstance(labels, Tensor) or labels.is_floating_point():
        raise TypeError("labels must be a tensor of class numbers (integers)")
    if labels.shape != (n_images,):
        raise ValueError(
            f"labels must be of shape ({n_images},), one for each row of logits; got "
            f"{tuple(labels.shape)}"
        )
    if n_images and not 0 <= int(labels.min()) <= int(labels.max()) < n_classes:
        raise ValueError(
            f"labels must be from 0 to {n_classes - 1}, one for each column of logits; got "
            f"{int(labels.min())} to {int(labels.max())}"
        )
