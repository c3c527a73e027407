"""The chosen layer seen closely: histogram, sparsity map, spectrum; and all layers at a glance."""

from __future__ import annotations

from collections.abc import Callable

from ipywidgets import VBox

from explorer.measure.result import Result
from explorer.session import Session
from explorer.views.card import card
from explorer.views.histogram import HistogramView
from explorer.views.layers import LayersView
from explorer.views.sparsity_map import SparsityMapView
from explorer.views.spectrum import SpectrumView


class CloseUpPanel:
    """The views of one layer, and the list of layers that it is chosen from.

    Parameters
    ----------
    select : callable
        Called with a layer's name when its row is chosen.

    Attributes
    ----------
    widgets : list of VBox
        Cards for the page's main area.
    """

    def __init__(self, select: Callable[[str], None]) -> None:
        self._histogram = HistogramView()
        self._map = SparsityMapView()
        self._layers = LayersView(select)
        self._spectrum = SpectrumView()
        self.widgets: list[VBox] = [
            card(
                "Weight distribution",
                "before and after",
                self._histogram.widget,
                "ex-view-histogram",
            ),
            card("Sparsity map", "where weights are kept", self._map.widget, "ex-view-sparsity"),
            card("Layers", "weights kept and bytes left", self._layers.widget, "ex-view-layers"),
            card(
                "Singular values",
                "of the layer's matrix",
                self._spectrum.widget,
                "ex-view-spectrum",
            ),
        ]

    def draw(self, session: Session, result: Result, layer: str) -> None:
        """Draw a session's current result, with one layer up close."""
        close_up = session.close_up(layer)
        self._histogram.draw(close_up.histogram)
        self._map.draw(close_up.sparsity)
        self._layers.selected = layer
        self._layers.draw(result)
        self._spectrum.draw(close_up.spectrum)

    def close(self) -> None:
        """Release the widgets."""
        for view in (self._histogram, self._map, self._layers, self._spectrum):
            view.close()
        for widget in self.widgets:
            widget.close()
