"""Which wrong labels a teacher puts right."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.measure.soft_targets import check_logits


@dataclass(frozen=True, eq=False)
class CorrectedLabels:
    """What a teacher makes of labels some of which are wrong.

    Attributes
    ----------
    corrupted : Tensor, shape (n_corrupted,), int64
        Positions of the wrong labels, rising.
    corrected : Tensor, shape (n_corrected,), int64
        Positions of those for which the teacher gives the true class.
    believed : Tensor, shape (n_believed,), int64
        Positions of those for which it gives the wrong label.
    spoiled : Tensor, shape (n_spoiled,), int64
        Positions of right labels that it contradicts.
    n : int
        Labels in all.
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

    Parameters
    ----------
    teacher_logits : Tensor, shape (n, n_classes)
    noisy, true : Tensor, shape (n,), integer
        The labels as they are, and as they should be.
    mask : Tensor, shape (n,), bool
        True where the label is wrong.

    Returns
    -------
    CorrectedLabels

    Raises
    ------
    TypeError, ValueError
        If the shapes or types do not fit, or `mask` is not where the labels differ.

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
