"""How closely a compressed network's answers follow the original's."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from explorer.measure.accuracy import wilson_interval
from explorer.measure.predictions import Predictions

Z = 1.959963984540054


@dataclass(frozen=True)
class Agreement:
    """Answers that are the same, and how far the probabilities moved.

    Attributes
    ----------
    n, n_same : int
        Samples, and those that both networks answer with the same class, right or wrong.
    kl_bits : float
        Mean Kullback-Leibler divergence KL(original || compressed) in bits: what the
        compressed network's probabilities cost beyond the original's, a sample.
    kl_low, kl_high : float
        95 % interval of that mean, from the normal approximation and cut off at 0;
        the upper bound is infinite for a single sample.

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

    Parameters
    ----------
    original, other : Tensor, shape (n, n_classes)
        Natural logarithms of probabilities.

    Returns
    -------
    Tensor, shape (n,), float64
        Not negative.
    """
    nats = (original.exp() * (original - other)).double().sum(1)
    return nats.clamp(min=0) / math.log(2)
