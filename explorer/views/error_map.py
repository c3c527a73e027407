"""Where the compressed weights differ from the original ones, as a picture."""

from __future__ import annotations

import numpy as np
from ipywidgets import HTML

from explorer.measure.maps import ErrorMap
from explorer.views.caption import caption
from explorer.views.format import percent_text, shape_text
from explorer.views.heat_canvas import HeatCanvas
from explorer.widgets import View


class ErrorMapView(View):
    """Picture of ``|W - W'|`` over a layer's matrix."""

    def __init__(self) -> None:
        self._canvas = HeatCanvas("ex-map", palette="error")
        self._legend = HTML()
        self._caption = caption()
        super().__init__([self._canvas, self._legend, self._caption])

    def draw(self, record: ErrorMap) -> None:
        """Show a record; errors beyond its scale are drawn in full color too."""
        error, shape = record.relative_error, shape_text(record.shape)
        parts = np.minimum(record.values / record.scale, 1.0)
        label = f"Error map of a {shape} matrix: relative error {percent_text(error)}"
        self._canvas.paint(parts, {"error": f"{error:.4f}"}, label)
        self._legend.value = (
            '<div class="ex-legend"><span>no error</span><i class="ex-gradient ex-gradient-error">'
            f"</i><span>{record.scale:.3g} or more</span></div>"
        )
        sampled = f" One weight in {record.stride:,} shown." if record.stride > 1 else ""
        self._caption.value = (
            f"{shape} matrix, relative error {percent_text(error)}; full color is an error as "
            f"large as the typical weight.{sampled} Look for stripes and blocks: rows and columns "
            "that the method reproduces badly."
        )
