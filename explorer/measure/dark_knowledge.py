"""Images for which a network that is right knows what else they resemble."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.measure.soft_targets import check_logits, entropy_bits, softened


@dataclass(frozen=True, eq=False)
class DarkKnowledge:
    """Images ranked by the probability that goes to wrong classes.

    Attributes
    ----------
    positions : Tensor, shape (n,), int64
        Of the images in the data, the one with most first.
    labels : Tensor, shape (n,), int64
        Their classes, all classified rightly.
    elsewhere : Tensor, shape (n,), float64
        Probability of all wrong classes together, falling.
    second : Tensor, shape (n,), int64
        The likeliest wrong class.
    second_probability : Tensor, shape (n,), float64
    bits : Tensor, shape (n,), float64
        Entropy of the softened answer.
    temperature : float
    n_right : int
        Images that were classified rightly.
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

    Parameters
    ----------
    logits : Tensor, shape (n_images, n_classes)
        At least 2 classes.
    labels : Tensor, shape (n_images,), integer
    temperature : float
        By which logits are divided before the softmax; positive and finite.
    n : int
        Images to return at most, at least 1; fewer where fewer are classified rightly. Of
        equal ones, those that come first.

    Returns
    -------
    DarkKnowledge

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit.

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
