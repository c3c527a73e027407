"""All layers at a glance: weights kept and bytes left, and the one that is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import traitlets

from explorer.measure.result import LayerFigures, Result
from explorer.views.assets import script
from explorer.views.format import percent_text, ratio_text, shape_text, size_text
from explorer.views.parts import caption
from explorer.widgets import ScriptView, View

Shapes = Mapping[str, tuple[int, ...]]
NO_SHAPES: Shapes = MappingProxyType({})
_ARROW = "\N{RIGHTWARDS ARROW}"


class LayerList(ScriptView):
    """Rows of two bars each; rebuilt when `names` change, otherwise only restyled.

    A row is a list: part kept, in words, part of the bytes left, bytes in words, label,
    shape, note.
    """

    _esm = script("layers.js")

    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    rows: traitlets.List = traitlets.List().tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)


class LayersView(View):
    """Bars of weights kept and bytes left, one row a layer, on a linear scale of 0 to 100 %."""

    def __init__(self) -> None:
        self._list = LayerList("ex-layers")
        self._list.on_msg(self._receive)
        self._caption = caption()
        super().__init__([self._list, self._caption])

    @property
    def selected(self) -> str:
        """Name of the marked layer."""
        return self._list.selected

    @selected.setter
    def selected(self, name: str) -> None:
        self._list.selected = name

    def draw(
        self, result: Result, old_shapes: Shapes = NO_SHAPES, selected: str | None = None
    ) -> None:
        """Show each layer of a result, and mark the one that is selected."""
        if selected is not None:
            self.selected = selected
        layers = result.layers
        with self._list.hold_sync():
            self._list.names = [layer.name for layer in layers]
            self._list.rows = [_row(layer, old_shapes.get(layer.name)) for layer in layers]
        self._caption.value = _caption_text(result, self.selected)

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        name = content.get("layer")
        if content.get("type") != "select" or name not in self._list.names:
            return
        self._list.selected = name
        self.on_select(name)


def _row(layer: LayerFigures, old_shape: tuple[int, ...] | None) -> list[Any]:
    kept = layer.density
    before, after = size_text(layer.original_bits / 8), size_text(layer.size_bits / 8)
    sizes = f"{before} {_ARROW} {after}"
    label = (
        f"{layer.name}: {percent_text(kept)} of weights kept, "
        f"{before} to {after}, {_ratio_words(layer)}"
    )
    left, shape = layer.bits_left, shape_text(layer.shape)
    if old_shape is not None:
        shape = f"{shape_text(old_shape)} {_ARROW} {shape}"
    spoken = f"{label}. {layer.note}" if layer.note else label
    return [round(kept, 4), percent_text(kept), round(left, 4), sizes, spoken, shape, layer.note]


def _ratio_words(layer: LayerFigures) -> str:
    if not layer.n_weights:
        return "no weights"
    return ratio_text(layer.compression_ratio) if layer.n_nonzero else "no weight left"


def _caption_text(result: Result, selected: str) -> str:
    if not result.layers:
        return "This model has no layer that can be compressed."
    largest = max(result.layers, key=lambda layer: layer.size_bits)
    size, file_size = size_text(largest.size_bits / 8), size_text(result.size_bytes)
    costs = f"Look for the layer that still costs most: {largest.name}, {size} of {file_size}."
    shown = next((layer for layer in result.layers if layer.name == selected), largest)
    return f"{costs} Relative error of {shown.name}: {percent_text(shown.error)}."
