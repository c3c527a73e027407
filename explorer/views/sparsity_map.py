"""Where the kept weights are, as a picture of the layer's matrix."""

from __future__ import annotations

from ipywidgets import HTML, VBox

from explorer.closing import close_all
from explorer.measure.maps import SparsityMap
from explorer.views.caption import caption
from explorer.views.format import percent_text, shape_text
from explorer.views.heat_canvas import HeatCanvas

_LEGEND = (
    '<div class="ex-legend"><span>all zero</span>'
    '<i class="ex-gradient"></i><span>all kept</span></div>'
)


class SparsityMapView:
    """Picture of the kept fraction of each cell of a layer's matrix.

    Attributes
    ----------
    widget : VBox
        The canvas, its legend and its caption. The canvas carries ``data-kept``, the
        layer's kept fraction with four decimals, and says it in words to a screen reader.
    """

    def __init__(self) -> None:
        self._canvas = HeatCanvas()
        self._canvas.add_class("ex-map")
        self._caption = caption()
        self.widget = VBox([self._canvas, HTML(_LEGEND), self._caption])

    def draw(self, record: SparsityMap) -> None:
        """Show a record.

        Parameters
        ----------
        record : SparsityMap
            Its ``kept`` has shape (n_rows, n_columns), fractions in [0, 1].
        """
        kept, shape = record.fraction, shape_text(record.matrix_shape)
        label = f"Sparsity map of a {shape} matrix: {percent_text(kept)} of weights kept"
        self._canvas.paint(record.kept, {"kept": f"{kept:.4f}"}, label)
        self._caption.value = _caption_text(record, shape)

    def close(self) -> None:
        """Release the widgets in the browser and the kernel."""
        close_all(self.widget)


def _caption_text(record: SparsityMap, shape: str) -> str:
    sampled = f" One weight in {record.stride:,} shown." if record.stride > 1 else ""
    return (
        f"{shape} matrix, {percent_text(record.fraction)} kept.{sampled} "
        "Look for empty rows and columns: neurons and inputs that no longer matter."
    )
