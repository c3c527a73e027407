"""Pictures of a layer's matrix: the sparsity map and the error map."""

from __future__ import annotations

import numpy as np
import traitlets
from ipywidgets import HTML

from explorer.measure.maps import ErrorMap, SparsityMap
from explorer.views.assets import text
from explorer.views.format import percent_text, shape_text
from explorer.views.parts import caption
from explorer.widgets import ScriptView, View


class HeatCanvas(ScriptView):
    """Canvas that colors each cell by its number; repaints when `version` changes.

    `palette` names three CSS variables, such as ``--ex-heat-0`` to ``--ex-heat-2``; `data`
    becomes the canvas's ``data-`` attributes, and `label` is read to those who cannot see it.
    """

    _esm = text("heat_canvas.js")

    rows = traitlets.Int(0).tag(sync=True)
    columns = traitlets.Int(0).tag(sync=True)
    cells = traitlets.Bytes(b"").tag(sync=True)
    palette = traitlets.Unicode("heat").tag(sync=True)
    data = traitlets.Dict().tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    def paint(self, parts: np.ndarray, data: dict[str, str], label: str) -> None:
        """Show a grid of numbers in [0, 1], shape (n_rows, n_columns), in one message."""
        with self.hold_sync():
            self.rows, self.columns = parts.shape
            self.cells = np.rint(parts * 255).astype(np.uint8).tobytes()
            self.data = data
            self.label = label
            self.version += 1


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
