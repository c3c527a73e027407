"""Top-1 and top-5 accuracy with a 95 % interval."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, overload

import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import Inputs, device_of, moved, own_copy, scores
from explorer.compress.networks.plain import copied
from explorer.compress.networks.weights import check_module
from explorer.measure.data import batches, left_out_note, n_samples
from explorer.measure.labels import check_classes
from explorer.measure.metric import ACCURACY, Metric, MetricRunner, Scale, Score, as_metric
from explorer.measure.predictions import check_inputs, first_layer, not_finite_rows, note

T = TypeVar("T")


@dataclass(frozen=True)
class Accuracy:
    """Share of correctly classified samples, as fractions, not percent.

    Attributes
    ----------
    top1, top5 : float
        Fractions in [0, 1]; `top5` is 1.0 by definition with five classes or fewer.
    n : int
        Samples evaluated.
    low, high : float
        95 % Wilson score interval of `top1`.
    n_total : int
        Samples in the data, as far as is known; `n` is smaller while an evaluation
        is under way.
    n_classes : int
        Classes that were told apart; 0 where that is not known.
    n_not_finite : int
        Samples answered by NaN or infinite scores; they count as wrong.
    note : str
        Says so, and from which layer on; "" where there are none.

    References
    ----------
    Wilson. "Probable inference, the law of succession, and statistical
    inference". Journal of the American Statistical Association, 1927.
    """

    top1: float
    top5: float
    n: int
    low: float
    high: float
    n_total: int = 0
    n_classes: int = field(default=0, compare=False)
    n_not_finite: int = 0
    note: str = ""

    @classmethod
    def from_counts(
        cls, n_top1: int, n_top5: int, n: int, n_total: int = 0, n_classes: int = 0
    ) -> Accuracy:
        """Make the record from counts of hits among `n` samples."""
        low, high = wilson_interval(n_top1, n)
        return cls(n_top1 / n, n_top5 / n, n, low, high, n_total or n, n_classes=n_classes)

    @property
    def complete(self) -> bool:
        """True when all samples were evaluated."""
        return self.n >= self.n_total

    @property
    def value(self) -> float:
        """The share of right answers: `top1`."""
        return self.top1

    @property
    def scale(self) -> Scale:
        """What the value means."""
        return ACCURACY

    @property
    def name(self) -> str:
        """``"Accuracy"``."""
        return ACCURACY.name

    @property
    def unit(self) -> str:
        """``"%"``, in which the fraction is shown."""
        return ACCURACY.unit

    @property
    def higher_is_better(self) -> bool:
        """True."""
        return ACCURACY.higher_is_better

    @property
    def chance(self) -> float | None:
        """Accuracy of guessing among all classes; None where their number is not known."""
        return 1 / self.n_classes if self.n_classes > 1 else None

    @property
    def guesses(self) -> bool:
        """Whether chance, or less, lies within the interval."""
        return self.chance is not None and self.low <= self.chance


def wilson_interval(n_hits: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """95 % score interval of a proportion.

    `n_hits`, `n`: successes and trials, ``0 <= n_hits <= n``, ``n > 0``. `z`: normal quantile; the
    default is that of 95 %. Returns: lower and upper bound, in [0, 1].
    """
    p = n_hits / n
    center = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, center - half), min(1.0, center + half)


@overload
def evaluate(net: nn.Module, data: Any, *, metric: None = None) -> Accuracy: ...
@overload
def evaluate(
    net: nn.Module, data: Any = None, *, metric: Metric | Callable[[nn.Module], Any]
) -> Score: ...
def evaluate(
    net: nn.Module,
    data: Any = None,
    *,
    metric: Metric | Callable[[nn.Module], Any] | None = None,
) -> Accuracy | Score:
    """Evaluate a network on labeled data, or by a metric.

    Parameters
    ----------
    net : Module
        Maps a batch of inputs to scores of shape (batch, n_classes), or to a tuple, a dict or an
        object with ``logits`` that holds them; its training flags are left as they are, so hand
        it over in eval mode.
    data : Dataset, pair of Tensor, or iterable of batches or samples
        Pairs of input and class index, or dicts with ``"labels"``; left unchanged, also by a
        network that writes into its inputs. Samples answered by NaN or infinite scores count as
        wrong, and the accuracy's note says so. Not looked at where there is a metric.
    metric : Metric or callable, optional
        Called with a copy of the network; returns a finite number. It then judges.

    Returns
    -------
    Accuracy or Score
        Accuracy in fractions, with a 95 % interval; the score of a metric.

    Raises
    ------
    TypeError
        If `net` is not a Module, or `data` holds something else.
    ValueError
        If there is no sample, scores and labels do not fit each other, or inputs hold NaN; if
        there is neither data nor a metric, or the metric returns no finite number.
    """
    check_module(net)
    judge_by = as_metric(metric)
    if judge_by is not None:
        score = MetricRunner(judge_by).ask(net)
        if score is not None:
            return score
    if data is None:
        raise ValueError("data: there is nothing to judge by; give labeled samples, or metric=")
    accuracy = next(iter(deque(running_accuracy(net, data), maxlen=1)), None)
    if accuracy is None:
        raise ValueError("data: expected at least one labeled sample, got none")
    return accuracy


def running_accuracy(net: nn.Module, data: Any) -> Iterator[Accuracy]:
    """Evaluate a network batch after batch, yielding the accuracy so far; as `accuracy_so_far`.

    In train mode layers count statistics while they run: then a copy runs.
    """
    if any(m.training and next(m.buffers(recurse=False), None) is not None for m in net.modules()):
        net = copied(net)
    device = device_of(net)
    return accuracy_so_far(lambda inputs: scores(net, moved(inputs, device)), data, net=net)


def accuracy_so_far(
    forward: Callable[[Inputs], Tensor],
    data: Any,
    batch: int = 256,
    keep: Callable[[Tensor, Tensor], object] | None = None,
    net: nn.Module | None = None,
) -> Iterator[Accuracy]:
    """Evaluate batch after batch, yielding the accuracy so far after each.

    `forward`: maps a batch of inputs to scores (n, n_classes). `batch`: samples a batch, where
    `data` does not come in batches. `keep`: called with each batch's scores and labels. `net`: what
    `forward` runs: asked for the layer from which on scores are no numbers. Yields: on the samples
    so far; ``complete`` on the last.
    """
    n_total = n_samples(data)
    count = _Count(net, left_out_note(data))
    for (inputs, labels), following in _with_following(batches(data, batch)):
        given = own_copy(inputs)
        with torch.inference_mode():
            answers = forward(inputs)
        count.add(answers, labels, given)
        if keep is not None:
            keep(answers, labels)
        known = count.n if following is None else max(n_total, count.n + len(following[1]))
        yield count.accuracy(known)


class _Count:
    """Hits so far; finds the layer to blame once scores are no numbers."""

    def __init__(self, net: nn.Module | None, remark: str) -> None:
        self._net, self._remark = net, remark
        self.n = self._n_top1 = self._n_top5 = self._n_bad = 0
        self._n_classes = 0
        self._layer = ""

    def add(self, answers: Tensor, labels: Tensor, inputs: Inputs) -> None:
        """Count a batch's scores; `inputs` as the network was given them."""
        hits1, hits5 = count_hits(answers, labels, self.n)
        bad = not_finite_rows(answers)
        if bool(bad.any()):
            check_inputs(inputs, bad, self.n)
            if not self._n_bad and self._net is not None:
                self._layer = first_layer(self._net, moved(inputs, device_of(self._net)))
            self._n_bad += int(bad.sum())
        self.n, self._n_classes = self.n + len(labels), answers.shape[1]
        self._n_top1, self._n_top5 = self._n_top1 + hits1, self._n_top5 + hits5

    def accuracy(self, n_total: int) -> Accuracy:
        """Return the accuracy so far."""
        found = Accuracy.from_counts(self._n_top1, self._n_top5, self.n, n_total, self._n_classes)
        words = "; ".join(filter(None, [note(self._n_bad, self.n, self._layer), self._remark]))
        return replace(found, n_not_finite=self._n_bad, note=words) if words else found


def _with_following(items: Iterable[T]) -> Iterator[tuple[T, T | None]]:
    """Yield each item with the one after it; the last with None."""
    iterator = iter(items)
    item = next(iterator, None)
    while item is not None:
        following = next(iterator, None)
        yield item, following
        item = following


def count_hits(scores: Tensor, labels: Tensor, first: int = 0) -> tuple[int, int]:
    """Count samples whose label has the highest score, and one of the five highest.

    Samples with a NaN or infinite score are no hits.

    `scores`: shape (n, n_classes). `labels`: shape (n,), integer. `first`: number of the first
    sample in the data, for messages. Raises ValueError if the shapes do not fit, or a label is no
    class.
    """
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise ValueError(
            "data: expected scores of shape (n, n_classes) for labels of shape (n,); got scores "
            f"{tuple(scores.shape)} for labels {tuple(labels.shape)}. "
            "Judge other outputs by metric="
        )
    labels = labels.to(scores.device)
    check_classes(labels, scores.shape[1], first)
    best = scores.topk(min(5, scores.shape[1]), dim=1).indices
    hits = (best == labels[:, None]) & ~not_finite_rows(scores)[:, None]
    return int(hits[:, 0].sum()), int(hits.any(1).sum())
