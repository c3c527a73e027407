"""Where the kept weights are, as a picture of the layer's matrix."""

from __future__ import annotations

from ipywidgets import HTML

from explorer.measure.maps import SparsityMap
from explorer.views.caption import caption
from explorer.views.format import percent_text, shape_text
from explorer.views.heat_canvas import HeatCanvas
from explorer.widgets import View

_LEGEND = (
    '<div class="ex-legend"><span>all zero</span>'
    '<i class="ex-gradient"></i><span>all kept</span></div>'
)


class SparsityMapView(View):
    """Picture of the kept fraction of each cell of a layer's matrix."""

    def __init__(self) -> None:
        self._canvas = HeatCanvas("ex-map")
        self._caption = caption()
        super().__init__([self._canvas, HTML(_LEGEND), self._caption])

    def draw(self, record: SparsityMap) -> None:
        """Show a record."""
        kept, shape = record.fraction, shape_text(record.matrix_shape)
        label = f"Sparsity map of a {shape} matrix: {percent_text(kept)} of weights kept"
        self._canvas.paint(record.kept, {"kept": f"{kept:.4f}"}, label)
        self._caption.value = _caption_text(record, shape)


def _caption_text(record: SparsityMap, shape: str) -> str:
    sampled = f" One weight in {record.stride:,} shown." if record.stride > 1 else ""
    return (
        f"{shape} matrix, {percent_text(record.fraction)} kept.{sampled} "
        "Look for empty rows and columns: neurons and inputs that no longer matter."
    )
