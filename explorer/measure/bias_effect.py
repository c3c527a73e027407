"""What it does to accuracy to find one class likelier, whatever is seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from explorer.measure.accuracy import Accuracy, count_hits


@dataclass(frozen=True)
class BiasEffect:
    """Accuracy before and after a bias is raised.

    Attributes
    ----------
    label : int
        The class whose bias it is.
    name : str
        Its name.
    amount : float
        What is added to its logit.
    class_before, class_after : Accuracy
        On samples of the class.
    before, after : Accuracy
        On all samples.
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

    Parameters
    ----------
    logits : Tensor, shape (n, n_classes)
    labels : Tensor, shape (n,), integer
    label : int
        The class.
    amount : float
        Added to its logit; finite.
    classes : sequence of str
        Names of the classes; by default their numbers.

    Returns
    -------
    BiasEffect

    Raises
    ------
    ValueError
        If no sample is of the class, the logits have no such class, or `amount` is not finite.

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
