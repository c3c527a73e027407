"""The values that weights share: how many share each, and what a code costs."""

from __future__ import annotations

import bqplot
import numpy as np

from explorer.measure.spectrum import Codebook
from explorer.views.format import count_text, percent_text
from explorer.views.parts import caption
from explorer.views.plot import ACCENT, CountAxis, figure, round_places, span, vertical
from explorer.views.tables import Table
from explorer.widgets import View, mark

LISTED = 32
DRAWN = 128


class CodebookView(View):
    """A bar of counts at each shared value, and up to 32 values in a table.

    More than 128 values are gathered into 128 bars of equal width; the caption says so.
    """

    def __init__(self) -> None:
        self._x, self._count = bqplot.LinearScale(), CountAxis()
        self._bars = bqplot.Lines(
            x=np.zeros(0),
            y=np.zeros(0),
            scales={"x": self._x, "y": self._count.scale},
            colors=[ACCENT],
        )
        self._x_axis = bqplot.Axis(
            scale=self._x, label="shared value", label_offset="34px", grid_lines="none"
        )
        self._figure = figure([self._bars], [self._x_axis, self._count.axis])
        self._table = Table("Shared values: value, weights, share, bits of a code", stacked=False)
        self._caption = caption()
        super().__init__([self._figure, self._table, self._caption])

    def draw(self, record: Codebook | None) -> None:
        """Show a record, or, given None, say how to come by one."""
        empty = record is None or not len(record.levels)
        mark(self, "ex-none", empty)
        if record is None or empty:
            self._table.show([], [])
            self._caption.value = (
                "No shared values in this layer yet: add the step Share or Quantize."
            )
            return
        values, counts = record.gathered(DRAWN)
        self._draw_bars(record, values, counts)
        listed = len(record.levels) <= LISTED
        self._table.show(_heads(record) if listed else [], _rows(record) if listed else [])
        self._caption.value = _caption_text(record, len(values))

    def _draw_bars(self, record: Codebook, values: np.ndarray, counts: np.ndarray) -> None:
        low, high = float(record.levels[0]), float(record.levels[-1])
        room = 0.04 * (high - low) or abs(low) or 1.0
        ends = low - room, high + room
        span(self._x, self._x_axis, ends, round_places(*ends), "{:g}".format)
        self._count.fit(counts)
        x, y = vertical(values, 0.0, 1.0)
        y[2::3] = self._count.places(counts)
        with self._bars.hold_sync():
            self._bars.x, self._bars.y = x, y
            self._bars.stroke_width = float(np.clip(200 / len(values), 2, 9))


def _heads(record: Codebook) -> list[tuple[str, str]]:
    code = "Code, bits" if record.code_lengths is None else "Huffman, bits"
    return [("Value", ""), ("Weights", ""), ("Share", ""), (code, "")]


def _rows(record: Codebook) -> list[list[str]]:
    total = max(1, record.n_coded)
    lengths = record.code_lengths
    bits = [record.code_bits] * len(record.levels) if lengths is None else lengths
    columns = zip(record.levels.tolist(), record.counts.tolist(), bits, strict=True)
    return [
        [f"{level:+.4f}", f"{count:,}", percent_text(count / total), str(n_bits)]
        for level, count, n_bits in columns
    ]


def _caption_text(record: Codebook, n_drawn: int) -> str:
    k = len(record.levels)
    share = f"{count_text(record.n_coded)} weights share {k:,} values"
    if record.code_lengths is None:
        cost = f", {record.code_bits} bits a code."
        hint = "See how uneven the bars are: the more uneven, the more an entropy coder saves."
    else:
        cost = f", {record.mean_bits:.2f} bits a code on average in place of {record.code_bits}."
        hint = "Look at the tallest bars: the most frequent values have the shortest codes."
    gathered = f" Drawn in {n_drawn} groups of neighbors." if n_drawn < k else ""
    return f"{share}{cost}{gathered} {hint}"
