"""Accuracy over operations, with size as area, of published networks and of one's own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import bqplot
import numpy as np
from ipywidgets import HTML

from explorer.measure.published.networks import CANZIANI, Place, PublishedNetwork, Tradeoffs
from explorer.views.format import count_text, percent_text, size_text
from explorer.views.parts import caption, legend, swatch_key
from explorer.views.plot import (
    ACCENT,
    BEFORE,
    MARK,
    count_axis,
    dashed_lines,
    figure,
    round_places,
    set_ticks,
    vertical,
)
from explorer.views.tables import Table
from explorer.widgets import View

LARGEST_DISC = 3600
LEAST_MACS, MOST_MACS = 1e7, 1e13
FEWEST_MACS = 1e3
NAMED = ("alexnet", "vgg16")
MOST_TICKS, NAME_OFFSET = 5, 28
HEADS = ("Network", "Top-1", "Top-5", "MACs", "Parameters", "File", "Points per M")
_LEGEND = legend(
    [
        swatch_key("after", "published"),
        swatch_key("before", "yours, original"),
        swatch_key("mark", "yours, compressed"),
        "<span>area: bytes of the file</span>",
    ]
)


class TradeoffsView(View):
    """Discs of networks, a dashed line where one's own lies, and all figures in a table."""

    def __init__(self) -> None:
        self._networks: tuple[PublishedNetwork, ...] | None = None
        self._x = bqplot.LogScale(min=LEAST_MACS, max=MOST_MACS)
        self._y = bqplot.LinearScale(min=0.5, max=0.9)
        self._area = bqplot.LinearScale(min=0.0, max=1.0)
        self._height = bqplot.LinearScale(min=0.0, max=1.0)
        self._tooltip = bqplot.Tooltip(fields=["name", "x", "y"], formats=["", ".3s", ".1%"])
        self._tooltip.labels = ["network", "MACs", "top-1"]
        self._published = self._discs(ACCENT, 0.45)
        self._published.tooltip = self._tooltip
        self._before, self._after = self._discs(BEFORE, 0.8), self._discs(MARK, 0.9)
        self._line = dashed_lines(self._x, self._height)
        self._names = bqplot.Label(
            scales={"x": self._x, "y": self._y}, x=[], y=[], text=[], default_size=12
        )
        self._names.colors, self._names.font_weight = ["var(--ex-mut)"], "normal"
        self._names.x_offset = NAME_OFFSET
        self._x_axis = bqplot.Axis(
            scale=self._x, label="multiply-accumulates an image (logarithmic)", grid_lines="none"
        )
        self._x_axis.label_offset = "34px"
        self._y_axis = count_axis(self._y, "top-1 accuracy on ImageNet")
        self._marks = [self._published, self._before, self._after, self._line, self._names]
        self._figure = figure(self._marks, [self._x_axis, self._y_axis])
        self._figure.layout.height = "340px"
        self._caption, self._source = caption(), caption()
        self._source.add_class("ex-sources")
        self._source.value = f"Figures of torchvision's weights; {CANZIANI}."
        self._table = Table("Published networks: accuracy, operations, size")
        super().__init__([self._figure, HTML(_LEGEND), self._caption, self._table, self._source])

    def _discs(self, color: str, opacity: float) -> bqplot.Scatter:
        return bqplot.Scatter(
            x=np.zeros(0),
            y=np.zeros(0),
            size=np.zeros(0),
            scales={"x": self._x, "y": self._y, "size": self._area},
            colors=[color],
            opacities=[opacity],
            default_size=LARGEST_DISC,
            display_names=False,
        )

    def draw(self, record: Tradeoffs) -> None:
        """Show a record."""
        self._fit(record)
        self._draw_published(record)
        self._place(self._before, record.before)
        self._place(self._after, record.after)
        unjudged = record.after is not None and record.after.top1 is None
        places = [self._across(record.after)] if record.after is not None and unjudged else []
        with self._line.hold_sync():
            self._line.x, self._line.y = vertical(places, 0.0, 1.0)
        self._caption.value = _caption_text(record)

    def _fit(self, record: Tradeoffs) -> None:
        """Let the axes span all networks."""
        own = [place for place in (record.before, record.after) if place is not None]
        least = min([LEAST_MACS, *(self._across(place) for place in own)])
        self._x.min = 10.0 ** math.floor(math.log10(least))
        first, last = round(math.log10(self._x.min)), round(math.log10(MOST_MACS))
        powers = range(first, last, math.ceil((last - first) / MOST_TICKS))
        set_ticks(self._x_axis, [10.0**power for power in powers], _power_text)
        judged = [place.top1 for place in own if place.top1 is not None]
        lowest = min([0.5, *judged])
        self._y.min = math.floor(10 * lowest) / 10
        set_ticks(
            self._y_axis, round_places(self._y.min, 0.9, 4), lambda value: percent_text(value, 0)
        )
        sizes = [network.size_bytes for network in record.networks]
        self._area.max = float(max([1, *sizes, *(place.size_bytes for place in own)]))

    def _draw_published(self, record: Tradeoffs) -> None:
        networks = record.networks
        if networks == self._networks:
            return
        self._networks = networks
        by_size = sorted(networks, key=lambda network: -network.size_bytes)
        with self._published.hold_sync():
            self._published.x = np.array([network.macs for network in by_size])
            self._published.y = np.array([network.top1 for network in by_size])
            self._published.size = np.array([float(n.size_bytes) for n in by_size])
            self._published.names = np.array([network.name for network in by_size])
        named = [network for network in networks if network.name in NAMED]
        with self._names.hold_sync():
            self._names.x = np.array([network.macs for network in named])
            self._names.y = np.array([network.top1 for network in named])
            self._names.text = np.array([network.name for network in named])
        self._table.show([(head, "") for head in HEADS], [_cells(n) for n in record.best_first])

    def _place(self, mark: bqplot.Scatter, place: Place | None) -> None:
        shown = [place] if place is not None and place.top1 is not None else []
        with mark.hold_sync():
            mark.x = np.array([self._across(one) for one in shown])
            mark.y = np.array([one.top1 for one in shown], dtype=np.float64)
            mark.size = np.array([float(one.size_bytes) for one in shown])

    @staticmethod
    def _across(place: Place) -> float:
        """Where a network stands on the logarithmic axis."""
        return max(float(place.macs), FEWEST_MACS)


def _power_text(macs: float) -> str:
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if macs >= size * 0.999:
            return f"{macs / size:,.0f} {unit}"
    return f"{macs:,.0f}"


def _cells(network: PublishedNetwork) -> Sequence[str]:
    return [
        network.name,
        percent_text(network.top1),
        percent_text(network.top5),
        count_text(network.macs),
        count_text(network.n_params),
        size_text(network.size_bytes),
        f"{network.density:.1f}",
    ]


def _caption_text(record: Tradeoffs) -> str:
    look = "See how accuracy rises ever more slowly with operations; look for small disks high up."
    if record.after is None or record.before is None:
        return f"{record.reason} {look}"
    own = (
        f"Yours: {count_text(record.before.macs)} to {count_text(record.after.macs)} "
        f"multiply-accumulates, {size_text(record.before.size_bytes)} to "
        f"{size_text(record.after.size_bytes)}."
    )
    if record.name:
        own += f" It is torchvision's {record.name}."
    reason = f" {record.reason}" if record.reason else ""
    return f"{own}{reason} {look}"
