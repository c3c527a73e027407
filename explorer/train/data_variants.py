"""Data and networks to experiment with: wrong labels, an unseen class, networks from a seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import is_dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Subset, TensorDataset

from explorer.compress.methods.setting import check_count, check_fraction
from explorer.compress.networks.plain import copied
from explorer.train.samples import Samples
from explorer.train.settings import MAX_COUNT


def without_class(data: Any, label: int) -> Any:
    """Return data that have no sample of a class.

    `data`: as for `train`; of a `Data` only ``tune`` is thinned, ``eval`` keeps all classes.
    `label`: the class that is left out. Returns: as `data` is: tensors for tensors, a Subset for
    any other Dataset, each of whose samples is then looked at once. Raises ValueError if no sample,
    or every sample, is of that class.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.

    Examples
    --------
    >>> inputs, labels = without_class((torch.zeros(3, 2), torch.tensor([0, 1, 2])), 1)
    >>> labels
    tensor([0, 2])
    """
    _check_label("without_class", label)
    tune = getattr(data, "tune", None)
    if tune is not None:
        if not is_dataclass(data) or isinstance(data, type):
            raise TypeError(
                "data: expected a Data, a Dataset or a pair of tensors; got "
                f"{type(data).__name__}; pass its tune part"
            )
        return replace(data, **{"tune": without_class(tune, label)})
    samples = Samples(data)
    numbers = torch.arange(samples.n)
    labels = samples.labels
    if labels is None:
        labels = torch.cat([samples.take(one)[1] for one in numbers.split(1)])
    kept = labels.cpu() != label
    if bool(kept.all()) or not bool(kept.any()):
        classes = ", ".join(map(str, labels.unique().tolist()))
        what = "no sample is" if bool(kept.all()) else "all samples are"
        raise ValueError(
            f"without_class: {what} of class {label}; the classes are: {classes}; name another"
        )
    if samples.labels is None:
        return Subset(data, numbers[kept].tolist())
    inputs, left = samples.take(numbers[kept])
    return TensorDataset(inputs, left) if isinstance(data, TensorDataset) else (inputs, left)


def correct_bias(net: nn.Module, label: int, amount: float) -> nn.Module:
    """Return a copy of a network that finds a class likelier, whatever it sees.

    A student that never saw a class learns too low a bias for it; raising that one number
    brings most of the class back.

    `net`: its last dense layer gives the scores. Left unchanged. `label`: the class. `amount`:
    added to the bias of its score; finite. Raises ValueError if there is no dense layer, the last
    one has no bias, or no output of that number.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.
    """
    _check_label("correct_bias", label)
    if isinstance(amount, bool) or not isinstance(amount, (int, float)):
        raise TypeError(f"correct_bias: amount must be a number; got {amount!r}")
    if not math.isfinite(amount):
        raise ValueError(f"correct_bias: amount must be finite; got {amount!r}")
    with torch.inference_mode(False), torch.no_grad():
        found = copied(net)
        bias = _last_bias(found)
        if label >= len(bias):
            raise ValueError(
                f"correct_bias: label must be from 0 to {len(bias) - 1}, one for each output; "
                f"got {label}"
            )
        bias[label] += amount
    return found


def _last_bias(net: nn.Module) -> Tensor:
    dense = [(name, part) for name, part in net.named_modules() if isinstance(part, nn.Linear)]
    if not dense:
        raise ValueError(
            f"correct_bias: net ({type(net).__name__}) has no dense layer (torch.nn.Linear) that "
            "gives the scores; use a network that ends with one"
        )
    name, layer = dense[-1]
    if layer.bias is None:
        raise ValueError(
            f"correct_bias: the last dense layer {name!r} has no bias; make it with bias=True"
        )
    return layer.bias


def _check_label(owner: str, label: int) -> None:
    if label is None:
        raise TypeError(f"{owner}: label must be an integer; got None")
    check_count(owner, "label", label, 0, MAX_COUNT)


def corrupt_labels(
    labels: Tensor, fraction: float, n_classes: int, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Replace some labels by wrong ones.

    `labels`: shape (n,), integer; from 0 to ``n_classes - 1``. Left unchanged. `fraction`: share of
    the labels to replace, in [0, 1]; exactly ``round(fraction * n)`` are, each by one of the other
    classes, all equally likely. `n_classes`: at least 2. Returns: `noisy`: shape (n,); dtype of
    `labels`; `corrupted`: shape (n,), bool; true where the label is wrong. Raises ValueError,
    TypeError if an argument is out of range.

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


def fresh(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Return a network with random weights, the same for the same seed, in eval mode.

    `build`: makes it.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build().eval()
