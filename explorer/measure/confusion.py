"""Which classes are taken for which, before and after compression."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.measure.predictions import Predictions

MOST_CLASSES = 1000
KEPT_PAIRS = 100


@dataclass(frozen=True)
class Pair:
    """One class taken for another.

    `truth`, `answer`: two different classes. `n_before`, `n_after`: samples of class `truth` that
    the original and the compressed network take for `answer`.
    """

    truth: int
    answer: int
    n_before: int
    n_after: int


@dataclass(frozen=True, eq=False)
class Confusion:
    """Confusion matrices of the original and the compressed network.

    `names`: the classes. `before`, `after`: shape (n_classes, n_classes), int64, or None; samples
    by true class (rows) and answer (columns); None with more than 1000 classes. `pairs`: at most
    100, those that the compressed network confuses most often first.
    """

    names: tuple[str, ...]
    before: Tensor | None
    after: Tensor | None
    pairs: tuple[Pair, ...]

    @property
    def change(self) -> Tensor | None:
        """The matrix after less the one before."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


def confusion(before: Predictions, after: Predictions, names: tuple[str, ...]) -> Confusion:
    """Count the answers to each class, for two networks' predictions of the same samples."""
    small = before.n_classes <= MOST_CLASSES
    return Confusion(
        names,
        confusion_matrix(before.labels, before.answers, before.n_classes) if small else None,
        confusion_matrix(after.labels, after.answers, after.n_classes) if small else None,
        _pairs(before, after),
    )


def confusion_matrix(labels: Tensor, answers: Tensor, n_classes: int) -> Tensor:
    """Count samples by true class and answer.

    `labels`, `answers`: shape (n,), int64; classes, from 0 to ``n_classes - 1``. Returns: shape
    (n_classes, n_classes), int64; row: true class; column: answer.
    """
    counts = torch.bincount(labels * n_classes + answers, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)


def _pairs(before: Predictions, after: Predictions) -> tuple[Pair, ...]:
    counts = _wrong(after)
    old = _wrong(before)
    found = [
        Pair(*divmod(code, after.n_classes), old.get(code, 0), n) for code, n in counts.items()
    ]
    found.sort(key=lambda pair: (-pair.n_after, pair.n_before, pair.truth, pair.answer))
    return tuple(found[:KEPT_PAIRS])


def _wrong(predictions: Predictions) -> dict[int, int]:
    """Count wrong answers by true class and answer in one number."""
    wrong = ~predictions.right
    codes = predictions.labels[wrong] * predictions.n_classes + predictions.answers[wrong]
    codes, counts = codes.unique(return_counts=True)
    return dict(zip(codes.tolist(), counts.tolist(), strict=True))
