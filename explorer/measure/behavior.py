"""Compressed against original: agreement, classes, samples lost and gained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.measure.accuracy import wilson_interval
from explorer.measure.confusion import Confusion, confusion
from explorer.measure.gallery import Gallery, picture
from explorer.measure.predictions import Predictions

Z = 1.959963984540054


@dataclass(frozen=True)
class Agreement:
    """Answers that are the same, and how far the probabilities moved.

    `n`, `n_same`: samples, and those that both networks answer with the same class, right or wrong.
    `kl_bits`: mean Kullback-Leibler divergence KL(original || compressed) in bits: what the
    compressed network's probabilities cost beyond the original's, a sample. `kl_low`, `kl_high`: 95
    % interval of that mean, from the normal approximation and cut off at 0; the upper bound is
    infinite for a single sample.

    References
    ----------
    Kullback, Leibler. "On information and sufficiency". Annals of Mathematical Statistics, 1951.
    """

    n: int
    n_same: int
    kl_bits: float
    kl_low: float
    kl_high: float

    @property
    def n_changed(self) -> int:
        """Samples that the two answer differently."""
        return self.n - self.n_same

    @property
    def share(self) -> float:
        """Fraction of same answers, in [0, 1]."""
        return self.n_same / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson score interval of `share`."""
        return wilson_interval(self.n_same, self.n)


def agreement(before: Predictions, after: Predictions) -> Agreement:
    """Compare two networks' predictions for the same samples."""
    bits = divergence_bits(before.log_probabilities, after.log_probabilities)
    mean = float(bits.mean())
    half = Z * float(bits.std()) / math.sqrt(before.n) if before.n > 1 else math.inf
    same = int((before.answers == after.answers).sum())
    return Agreement(before.n, same, mean, max(0.0, mean - half), mean + half)


def divergence_bits(original: Tensor, other: Tensor) -> Tensor:
    """KL(original || other) of each row, in bits.

    `original`, `other`: shape (n, n_classes); natural logarithms of probabilities. Returns: shape
    (n,), float64; not negative.
    """
    nats = (original.exp() * (original - other)).double().sum(1)
    return nats.clamp(min=0) / math.log(2)


N_PICTURES = {"lost": 24, "gained": 12, "next": 12}
Thumbnails = Callable[[Sequence[int]], Sequence[Tensor | None]]


@dataclass(frozen=True)
class ClassChange:
    """What becomes of the samples of one class.

    `n`: its samples, at least one. `n_before`, `n_after`: those that the original and the
    compressed network answer rightly.
    """

    name: str
    n: int
    n_before: int
    n_after: int

    @property
    def before(self) -> float:
        """Share of right answers of the original, in [0, 1]."""
        return self.n_before / self.n

    @property
    def after(self) -> float:
        """Share of right answers of the compressed network, in [0, 1]."""
        return self.n_after / self.n

    @property
    def change(self) -> float:
        """Share after less the one before."""
        return (self.n_after - self.n_before) / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson score interval of `after`."""
        return wilson_interval(self.n_after, self.n)


@dataclass(frozen=True, eq=False)
class Behavior:
    """A compressed network against the original, on the same samples.

    `n`, `n_total`: samples that are evaluated, and samples in the data; 0 where nothing tells.
    `classes`: of every class that has samples, the one that lost most first. `lost`, `gained`,
    `other`: shape (n_lost,), (n_gained,), (n_other,), int64; numbers of the samples that are right
    before and wrong now, wrong before and right now, and wrong both times with different answers.
    Lost ones come in the order of the original's margins, smallest first; gained ones in that of
    the compressed network's margins, largest first. `next_lost`: shape (n_right,), int64; samples
    that the compressed network answers rightly, smallest margin first. A change of the logits that
    grows from nothing turns over the answers with small margins first, so these are the likeliest
    to go next; it is no promise for any one of them. `galleries`: ``"lost"``, ``"gained"`` and
    ``"next"``.
    """

    n: int
    n_total: int
    classes: tuple[ClassChange, ...]
    lost: Tensor
    gained: Tensor
    other: Tensor
    next_lost: Tensor
    confusion: Confusion
    agreement: Agreement
    galleries: Mapping[str, Gallery]

    @property
    def n_before(self) -> int:
        """Right answers of the original."""
        return sum(row.n_before for row in self.classes)

    @property
    def n_after(self) -> int:
        """Right answers of the compressed network."""
        return sum(row.n_after for row in self.classes)


def no_thumbnails(samples: Sequence[int]) -> list[None]:
    """Have no images."""
    return [None] * len(samples)


def behavior(
    before: Predictions,
    after: Predictions,
    names: Sequence[str] = (),
    n_total: int = 0,
    thumbnails: Thumbnails = no_thumbnails,
) -> Behavior:
    """Compare two networks' predictions.

    `before`, `after`: of the original and the compressed network, for the same samples. `names`: of
    the classes; those without a name go by their number. `n_total`: samples in all the data.
    `thumbnails`: takes numbers of samples to their images. Raises ValueError if the predictions are
    for different samples or classes.
    """
    _check(before, after)
    names = tuple(names[: after.n_classes])
    names += tuple(str(i) for i in range(len(names), after.n_classes))
    lost = _sorted(before.right & ~after.right, before.margins)
    gained = _sorted(~before.right & after.right, -after.margins)
    next_lost = _sorted(after.right, after.margins)
    other = (~before.right & ~after.right & (before.answers != after.answers)).nonzero()[:, 0]
    found = {"lost": lost, "gained": gained, "next": next_lost}
    return Behavior(
        after.n,
        n_total,
        _classes(before, after, names),
        lost,
        gained,
        other,
        next_lost,
        confusion(before, after, names),
        agreement(before, after),
        _galleries(found, before, after, names, thumbnails),
    )


def _check(before: Predictions, after: Predictions) -> None:
    sizes = [(p.n, p.n_classes) for p in (before, after)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            "before, after: expected predictions of the same samples and classes; got "
            "{} samples of {} classes and {} of {}".format(*sizes[0], *sizes[1])
        )
    if not torch.equal(before.labels, after.labels):
        raise ValueError(
            "before, after: expected the same samples in the same order, but their labels differ; "
            "hand over data that is not shuffled"
        )


def _sorted(chosen: Tensor, key: Tensor) -> Tensor:
    """Numbers of the chosen samples, smallest key first."""
    samples = chosen.nonzero()[:, 0]
    return samples[key[samples].argsort(stable=True)]


def _classes(
    before: Predictions, after: Predictions, names: tuple[str, ...]
) -> tuple[ClassChange, ...]:
    n = torch.bincount(after.labels, minlength=after.n_classes)
    right = [torch.bincount(p.labels[p.right], minlength=after.n_classes) for p in (before, after)]
    present = n.nonzero()[:, 0]
    columns = [counts[present].tolist() for counts in (n, *right)]
    rows = [
        ClassChange(names[i], *counts)
        for i, *counts in zip(present.tolist(), *columns, strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: row.change))


def _galleries(
    found: Mapping[str, Tensor],
    before: Predictions,
    after: Predictions,
    names: tuple[str, ...],
    thumbnails: Thumbnails,
) -> dict[str, Gallery]:
    weakest = _sorted(before.right, before.margins)
    weakest = weakest[: -(-len(weakest) // 10)]
    galleries = {}
    for kind, samples in found.items():
        shown = samples[: N_PICTURES[kind]].tolist()
        images = thumbnails(shown)
        pictures = [picture(i, before, after, x) for i, x in zip(shown, images, strict=True)]
        among = int(torch.isin(samples, weakest).sum()) if kind == "lost" else 0
        galleries[kind] = Gallery(
            kind,
            names,
            tuple(pictures),
            len(samples),
            after.n,
            len(weakest) if kind == "lost" else 0,
            among,
        )
    return galleries
