"""Labels as class numbers: integers of every width taken, everything else refused by name."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

CURE = "For targets of another kind, such as those of a regression, judge by metric="


def class_numbers(labels: Any, first: int = 0) -> Tensor:
    """Return labels as int64 class numbers, shape (n,).

    `first`: number of the first sample in the data, for messages. Raises TypeError if they are no
    integers; the message names the first. Raises ValueError if they are not one number a sample.
    """
    try:
        numbers = torch.as_tensor(labels)
    except (TypeError, ValueError, RuntimeError):
        one = labels[0] if isinstance(labels, (list, tuple)) and labels else labels
        raise TypeError(
            f"data: labels must be class numbers (integers); got {type(one).__name__}, {one!r:.60} "
            f"for sample {first}"
        ) from None
    if numbers.ndim != 1:
        raise ValueError(_not_one_a_sample(numbers, first))
    if numbers.is_floating_point() or numbers.is_complex() or numbers.dtype == torch.bool:
        one = f", {numbers[0].item()!r} for sample {first}" if len(numbers) else ""
        raise TypeError(
            f"data: labels must be class numbers (integers); got {numbers.dtype}{one}. {CURE}"
        )
    return numbers.to(torch.int64)


def _not_one_a_sample(labels: Tensor, first: int) -> str:
    shape = tuple(labels.shape)
    if labels.ndim == 0:
        return (
            "data: expected batches with labels of shape (n,), one class number a sample; got the "
            f"single label {labels.item()!r} at sample {first}. A DataLoader puts batches together"
        )
    squeezed = "Use labels.squeeze(1). " if labels.ndim == 2 and shape[1] == 1 else ""
    one = labels[0].tolist() if len(labels) else []
    return (
        f"data: expected labels of shape (n,), one class number a sample; got {shape}, "
        f"{one!r:.60} for sample {first}. {squeezed}{CURE}"
    )


def check_classes(labels: Tensor, n_classes: int, first: int = 0) -> None:
    """Raise ValueError where a label is no class; the message names the first sample.

    `labels`: shape (n,), integer. `n_classes`: scores that the network gives. `first`: number of
    the first sample in the data.
    """
    wrong = (labels < 0) | (labels >= n_classes)
    if bool(wrong.any()):
        place = int(wrong.nonzero()[0])
        raise ValueError(
            f"data: labels must be from 0 to {n_classes - 1}, one for each of the network's "
            f"outputs; got {int(labels.min())} to {int(labels.max())}, first {int(labels[place])} "
            f"for sample {first + place}"
        )
