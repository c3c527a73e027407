"""Wrong labels on purpose, to see whether a teacher puts them right."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.compress.setting import check_count, check_fraction
from explorer.train.settings import MAX_COUNT


def corrupt_labels(
    labels: Tensor, fraction: float, n_classes: int, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Replace some labels by wrong ones.

    Parameters
    ----------
    labels : Tensor, shape (n,), integer
        From 0 to ``n_classes - 1``. Left unchanged.
    fraction : float
        Share of the labels to replace, in [0, 1]; exactly ``round(fraction * n)`` are, each by
        one of the other classes, all equally likely.
    n_classes : int
        At least 2.
    seed : int

    Returns
    -------
    noisy : Tensor, shape (n,)
        Dtype of `labels`.
    corrupted : Tensor, shape (n,), bool
        True where the label is wrong.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    Ba, Caruana. "Do deep nets really need to be deep?". NeurIPS 2014. arXiv:1312.6184.

    Examples
    --------
    >>> noisy, corrupted = corrupt_labels(torch.tensor([0, 1, 0, 1]), 1.0, n_classes=2)
    >>> noisy
    tensor([1, 0, 1, 0])
    """
    check_labels("labels", labels)
    for name, value in (("fraction", fraction), ("n_classes", n_classes), ("seed", seed)):
        if value is None:
            raise TypeError(f"corrupt_labels: {name} must be a number; got None")
    check_fraction("corrupt_labels", "fraction", fraction)
    check_count("corrupt_labels", "n_classes", n_classes, 2, MAX_COUNT)
    check_count("corrupt_labels", "seed", seed, 0, MAX_COUNT)
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < n_classes:
        raise ValueError(
            f"labels must be from 0 to {n_classes - 1}, as n_classes says; got "
            f"{int(labels.min())} to {int(labels.max())}"
        )
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(labels), generator=generator)[: round(fraction * len(labels))]
    steps = torch.randint(1, n_classes, (len(chosen),), generator=generator)
    chosen, steps = chosen.to(labels.device), steps.to(labels.device)
    noisy, corrupted = labels.clone(), torch.zeros_like(labels, dtype=torch.bool)
    noisy[chosen] = ((labels[chosen] + steps) % n_classes).to(labels.dtype)
    corrupted[chosen] = True
    return noisy, corrupted


def check_labels(name: str, labels: Tensor) -> None:
    """Raise unless labels are a tensor of class numbers of shape (n,)."""
    if not isinstance(labels, Tensor):
        raise TypeError(f"{name} must be a tensor of class numbers; got {type(labels).__name__}")
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise TypeError(f"{name} must be class numbers (integers); got {labels.dtype}")
    if labels.ndim != 1:
        raise ValueError(f"{name} must be of shape (n,); got {tuple(labels.shape)}")
