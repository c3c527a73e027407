"""The axis of counts: linear, or growing with the root where one bar would hide the others."""

from __future__ import annotations

import bqplot
import numpy as np

from explorer.views.format import count_text
from explorer.views.plot import count_axis, round_ticks, set_ticks


class CountAxis:
    """A scale and an axis for counts, which say how they grow."""

    def __init__(self) -> None:
        self.scale = bqplot.LinearScale(min=0.0, max=1.0)
        self.axis = count_axis(self.scale, "count")
        self._shown: tuple[bool, float] | None = None

    @property
    def root(self) -> bool:
        """Whether the axis grows with the square root."""
        return self._shown is not None and self._shown[0]

    def fit(self, counts: np.ndarray) -> bool:
        """Choose growth and end for counts of any shape; return whether the axis changed."""
        highest = float(max(1, counts.max(initial=1)))
        filled = counts[counts > 0]
        root = filled.size > 0 and float(np.median(filled)) < 0.15 * highest
        wanted = bool(root), round_ticks(highest)[-1]
        if wanted == self._shown:
            return False
        self._shown = wanted
        self._show(*wanted)
        return True

    def places(self, counts: np.ndarray) -> np.ndarray:
        """Where counts lie on the scale."""
        values = counts.astype(np.float64)
        return np.sqrt(values) if self.root else values

    def _show(self, root: bool, high: float) -> None:
        ticks = round_ticks(high)
        if root:
            ticks = [0.0, *(high * part for part in (0.04, 0.2, 0.5, 1.0))]
        places = (np.sqrt(ticks) if root else np.asarray(ticks)).tolist()
        self.scale.max = places[-1]
        texts = dict(zip(places, ticks, strict=True))
        set_ticks(self.axis, places, lambda place: count_text(texts[place]))
        self.axis.label = "count (square-root scale)" if root else "count"
