"""How much worse a value is than that of the network as it is: losses that add up over layers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from explorer.measure.metric import Scale

LEAST = 1e-9
MOST = 1e6
LARGEST_EXPONENT = 600.0


@dataclass(frozen=True)
class Toll:
    """Turns values into losses, and losses into values.

    A loss is the logarithm of how many times worse a value is. Where values are zero or
    negative it is the difference instead, relative to the original value.

    Attributes
    ----------
    original : float
        Value of the network as it is.
    scale : Scale
    least : float
        Values nearer to zero than that count as that.
    logarithmic : bool
    """

    original: float
    scale: Scale
    least: float = LEAST
    logarithmic: bool = True

    @classmethod
    def of(cls, original: float, scale: Scale, values: Iterable[float], n: int) -> Toll:
        """Choose how values are compared; `n` samples judged each, 0 where that is not known."""
        known = [original, *values]
        if scale.share:
            return cls(original, scale, max(LEAST, 0.5 / max(1, n)))
        if min(known) > 0:
            return cls(original, scale, min(LEAST, *known))
        return cls(original, scale, logarithmic=False)

    def loss(self, value: float) -> float:
        """Return the loss of a value; negative where it is better than the original."""
        if not self.logarithmic:
            worse = self.scale.goodness(self.original) - self.scale.goodness(value)
            return min(max(worse / self._size, -MOST), MOST)
        ratio = math.log(max(self.original, self.least)) - math.log(max(value, self.least))
        return ratio if self.scale.higher_is_better else -ratio

    def value(self, loss: float) -> float:
        """Return the value that a loss leaves."""
        if not self.logarithmic:
            return self.scale.goodness(self.scale.goodness(self.original) - loss * self._size)
        return self.original * math.exp(min(self.scale.goodness(-loss), LARGEST_EXPONENT))

    @property
    def _size(self) -> float:
        return abs(self.original) or 1.0
