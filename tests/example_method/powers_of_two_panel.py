"""The tab of the method `PowersOfTwo`: its step, and the cards that show what it does."""

from __future__ import annotations

import numpy as np
from example_method.powers_of_two import PowersOfTwo

from explorer.extend import (
    CODEBOOK,
    ERRORS,
    HISTOGRAM,
    LAYERS,
    Card,
    Codebook,
    Topic,
    View,
    caption,
)


class ExponentsView(View):
    """A sentence on the powers of two in use."""

    def __init__(self) -> None:
        self._caption = caption()
        super().__init__([self._caption])

    def draw(self, record: Codebook) -> None:
        """Say which powers of two are in use, and how many weights are at the lowest."""
        used = np.abs(record.levels[record.counts > 0])
        lowest = record.counts[np.abs(record.levels) == used.min()].sum() / record.n_coded
        low, high = np.log2([used.min(), used.max()])
        self._caption.value = (
            f"Magnitudes from 2^{low:.0f} to 2^{high:.0f}; {lowest:.1%} of the kept weights are at "
            "the lowest: where that is much, more bits help."
        )


EXPONENTS = Card(
    "Exponents",
    "powers of two in use",
    "ex-view-exponents",
    ExponentsView,
    lambda scene: scene.close_up.codebook,
)
TOPIC = Topic(
    "Powers of two",
    "rounds weights to powers of two",
    (PowersOfTwo(),),
    (HISTOGRAM, LAYERS),
    (EXPONENTS, CODEBOOK, ERRORS),
)
