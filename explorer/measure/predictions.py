"""Answers to each sample, and scores that are no numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import Inputs, call, device_of, moved, scores, tensors_of
from explorer.measure.data import batches
from explorer.stopping import Stop, never


def not_finite_rows(scores: Tensor) -> Tensor:
    """Return which samples have a NaN or infinite score; shape (n,), bool."""
    return ~scores.isfinite().flatten(1).all(1)


def check_inputs(inputs: Inputs, bad: Tensor, first: int) -> None:
    """Raise ValueError where samples that were answered by no number hold NaN themselves.

    `inputs`: a batch, as the network was given it. `bad`: shape (n,), bool; samples whose scores
    are no numbers. `first`: number of the batch's first sample in the data, for the message.
    """
    holds = torch.zeros(len(bad), dtype=torch.bool)
    for tensor in tensors_of(inputs):
        if tensor.is_floating_point() and len(tensor) == len(bad):
            holds |= (
                tensor.cpu().flatten(1).isnan().any(1) if tensor.ndim > 1 else tensor.cpu().isnan()
            )
    blamed = (holds & bad.cpu()).nonzero()
    if len(blamed):
        raise ValueError(
            f"data: the input of sample {first + int(blamed[0])} holds NaN ({len(blamed)} of the "
            f"{len(bad)} samples looked at together do), and its scores are NaN; repair or leave "
            "out these samples"
        )


def first_layer(net: nn.Module, inputs: Inputs) -> str:
    """Return the first layer that makes NaN or infinite values of finite ones, in words.

    `net`: run once more, with hooks that are taken off again. Returns: such as ``"fc2 (Linear)"``;
    "" where none is found.
    """
    found: list[str] = []

    def look(name: str, module: nn.Module, args: Any, output: Any) -> None:
        if not found and not _finite(output) and _finite(args):
            found.append(f"{name or 'the network itself'} ({type(module).__name__})")

    hooks = [
        module.register_forward_hook(lambda m, args, output, name=name: look(name, m, args, output))
        for name, module in net.named_modules()
    ]
    try:
        with torch.inference_mode():
            call(net, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return found[0] if found else ""


def _finite(value: Any) -> bool:
    return all(bool(t.isfinite().all()) for t in _tensors(value) if t.is_floating_point())


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)


def note(n_bad: int, n: int, layer: str) -> str:
    """Return a sentence on scores that are no numbers; "" where there are none."""
    if not n_bad:
        return ""
    since = f", from layer {layer} on" if layer else ""
    return (
        f"{n_bad:,} of {n:,} samples are answered by NaN or infinite scores{since}; they count as "
        "wrong"
    )


SMALLEST = 1.4e-45


@dataclass(frozen=True, eq=False)
class Predictions:
    """A network's answers to labeled samples; make it with `Predictions.of` or `predict`.

    `log_probabilities`: shape (n, n_classes), float32; natural logarithms of the probabilities that
    the network gives to the classes. `answers`: shape (n,), int64; the class with the highest
    score, chosen among equal ones as `Accuracy` does. `labels`: shape (n,), int64; the right
    classes.
    """

    log_probabilities: Tensor
    answers: Tensor
    labels: Tensor

    @classmethod
    def of(cls, scores: Tensor, labels: Tensor) -> Predictions:
        """Make the record from a network's outputs.

        `scores`: shape (n, n_classes), floating point; logits, log-probabilities, or probabilities:
        rows that are not negative and all sum to 1 are taken as probabilities. `labels`: shape
        (n,), integer. Raises ValueError if there is no sample, the shapes do not fit, a label is no
        class, there are fewer than two classes, or a score is not finite.
        """
        _check(scores, labels)
        scores = scores.detach().cpu().float()
        answers = scores.topk(min(5, scores.shape[1]), dim=1).indices[:, 0]
        return cls(_log_probabilities(scores), answers, labels.detach().cpu().long())

    @property
    def n(self) -> int:
        """Samples."""
        return len(self.labels)

    @property
    def n_classes(self) -> int:
        """Classes."""
        return self.log_probabilities.shape[1]

    @cached_property
    def right(self) -> Tensor:
        """Which answers are right, shape (n,), bool."""
        return self.answers == self.labels

    @cached_property
    def confidence(self) -> Tensor:
        """Probability that the network gives to its own answer, shape (n,), in [0, 1]."""
        return self._at(self.answers).exp()

    @cached_property
    def rivals(self) -> Tensor:
        """The class with the highest score besides the right one, shape (n,), int64."""
        return self._others.max(1).indices

    @cached_property
    def margins(self) -> Tensor:
        """Log-probability of the right class less that of its rival, shape (n,), float32.

        The same difference as between the two logits: positive where the answer is right.
        """
        return self._at(self.labels) - self._at(self.rivals)

    @property
    def _others(self) -> Tensor:
        return self.log_probabilities.scatter(1, self.labels[:, None], -torch.inf)

    def _at(self, classes: Tensor) -> Tensor:
        return self.log_probabilities.gather(1, classes[:, None])[:, 0]


def predict(
    net: nn.Module, data: Any, should_stop: Stop = never, batch: int = 256
) -> Predictions | None:
    """Ask a network for its answers, batch by batch.

    `net`: maps a batch of inputs to scores of shape (batch, n_classes); in eval mode. `data`: pairs
    of input and class index. All scores are kept, 4 bytes each; `evaluation_subset` chooses as many
    samples as memory allows. `should_stop`: asked before each batch. `batch`: samples a batch,
    where `data` is a dataset. Another size may change the last bits of the scores, so networks that
    are compared should be asked with the same. Returns: none where it was stopped. Raises
    ValueError as `Predictions.of`; if there is no sample too.
    """
    return Asking(net, data, batch).go_on(should_stop)


class Asking:
    """Predictions under way, which can be left and taken up again.

    `net`, `data`, `batch`: as `predict` takes them.
    """

    def __init__(self, net: nn.Module, data: Any, batch: int = 256) -> None:
        self._net = net
        self._batches = batches(data, batch)
        self._parts: list[tuple[Tensor, Tensor]] = []

    def go_on(self, should_stop: Stop = never) -> Predictions | None:
        """Ask for what is left; None where it was stopped. Raises as `predict` does."""
        device = device_of(self._net)
        while not should_stop():
            found = next(self._batches, None)
            if found is None:
                return self._predictions()
            with torch.inference_mode():
                answers = scores(self._net, moved(found[0], device)).cpu()
            self._parts.append((answers, found[1].cpu()))
        return None

    def _predictions(self) -> Predictions:
        if not self._parts:
            raise ValueError("data: expected at least one labeled sample, got none")
        answers, labels = (torch.cat(tensors) for tensors in zip(*self._parts, strict=True))
        return Predictions.of(answers, labels)


def _check(scores: Tensor, labels: Tensor) -> None:
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not len(labels):
        raise ValueError(
            "scores: expected shape (n, n_classes) for labels of shape (n,), n at least 1; got "
            f"scores {tuple(scores.shape)} for labels {tuple(labels.shape)}"
        )
    n_classes = scores.shape[1]
    if n_classes < 2:
        raise ValueError(f"scores: expected at least two classes to tell apart, got {n_classes}")
    if not 0 <= int(labels.min()) <= int(labels.max()) < n_classes:
        raise ValueError(
            f"labels: expected classes from 0 to {n_classes - 1}, one for each of the network's "
            f"outputs; got {int(labels.min())} to {int(labels.max())}"
        )
    finite = scores.isfinite().all(1)
    if not finite.all():
        first = int((~finite).nonzero()[0])
        raise ValueError(
            f"scores: expected finite numbers, got {scores[first].tolist()[:5]} for sample {first}"
            "; a network whose values overflow needs milder steps or float32 weights"
        )


def _log_probabilities(scores: Tensor) -> Tensor:
    sums = scores.sum(1)
    if bool((scores >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
        return scores.clamp(min=SMALLEST).log()
    return scores.log_softmax(1)
