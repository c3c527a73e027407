"""All layers of a network: what each takes of the weights and of the multiplications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets
from ipywidgets import HTML

from explorer.measure.anatomy import Anatomy
from explorer.measure.profile import LayerProfile
from explorer.views.assets import script
from explorer.views.format import DASH, at_least, count_text, percent_text, shape_text, size_text
from explorer.views.parts import caption
from explorer.widgets import ScriptView, View, mark

HEADS = ("Layer", "Share of the whole", "Weights", "", "MACs", "", "Bytes", "Activations")
TONES = ("after", "second")
_LEGEND = (
    '<div class="ex-legend"><span><i class="ex-swatch ex-tone-after"></i>weights</span>'
    '<span><i class="ex-swatch ex-tone-second"></i>multiplications</span></div>'
)


class AnatomyTable(ScriptView):
    """Rows of a name, bars and numbers; those with a ``choice`` can be chosen.

    Numbers whose head is "" stand below those before them.
    """

    _esm = script("anatomy.js")

    heads: traitlets.List = traitlets.List(traitlets.Unicode()).tag(sync=True)
    tones: traitlets.List = traitlets.List(traitlets.Unicode()).tag(sync=True)
    rows: traitlets.List = traitlets.List().tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)


class AnatomyView(View):
    """Two bars a layer, of the weights and the multiply-accumulates, with the numbers beside."""

    def __init__(self) -> None:
        self._shown: tuple[Anatomy, tuple[str, ...]] | None = None
        label = "Layers: what each takes of the weights and of the multiplications"
        self._table = AnatomyTable(heads=list(HEADS), tones=list(TONES), label=label)
        mark(self._table, "ex-table-box ex-table-stacked ex-anatomy")
        self._table.on_msg(self._receive)
        self._caption = caption()
        super().__init__([HTML(_LEGEND), self._table, self._caption])

    @property
    def selected(self) -> str:
        """Name of the marked layer."""
        return self._table.selected

    @selected.setter
    def selected(self, name: str) -> None:
        self._table.selected = name

    def draw(
        self, record: Anatomy, choices: Sequence[str] = (), selected: str | None = None
    ) -> None:
        """Show the layers of a network, and mark the one that is selected."""
        if selected is not None:
            self.selected = selected
        wanted = record, tuple(choices)
        if wanted == self._shown:
            return
        self._shown = wanted
        rows = [_row(layer, layer.name in wanted[1], record) for layer in record.rows]
        if record.others:
            rows.append(_summary(_others_name(record), record.others, record))
        rows.append(_summary("whole network", record.layers, record))
        with self._table.hold_sync():
            self._table.rows = rows
            self._table.version += 1
        self._caption.value = _caption_text(record)

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        name = content.get("layer")
        if content.get("type") != "select" or not self._shown or name not in self._shown[1]:
            return
        self._table.selected = name
        self.on_select(name)


def _row(layer: LayerProfile, choice: bool, record: Anatomy) -> dict[str, Any]:
    detail = f"{layer.kind} {shape_text(layer.shape)}".strip()
    row = _cells(layer.name or "(the network)", detail, [layer], record)
    return row | {"choice": layer.name if choice else ""}


def _summary(name: str, layers: Sequence[LayerProfile], record: Anatomy) -> dict[str, Any]:
    return _cells(name, "", layers, record) | {"choice": "", "shares": []}


def _cells(
    name: str, detail: str, layers: Sequence[LayerProfile], record: Anatomy
) -> dict[str, Any]:
    """Make a row of what some layers take together."""
    taken, known = record.share(layers), record.input_shape is not None
    shares = [taken.weight_share, taken.mac_share]
    texts = [count_text(taken.weights), percent_text(shares[0])]
    least = at_least([name for layer in layers for name in layer.uncounted])
    macs = f"{least}{count_text(taken.macs)}"
    texts += [macs, percent_text(shares[1])] if known else [DASH, ""]
    texts += [size_text(taken.bytes), count_text(taken.activations) if known else DASH]
    spoken = f"{name}, {detail}" if detail else name
    label = f"{spoken}: {texts[0]} weights, {texts[1]}; "
    label += f"{texts[2]} multiplications, {texts[3]}; " if known else ""
    return {
        "name": name,
        "detail": detail,
        "shares": [round(share, 4) for share in shares[: 2 if known else 1]],
        "texts": texts,
        "label": f"{label}{texts[4]}",
    }


def _others_name(record: Anatomy) -> str:
    kinds = sorted({layer.kind for layer in record.others})
    named = ", ".join(kinds[:2]) + (", \N{HORIZONTAL ELLIPSIS}" if len(kinds) > 2 else "")
    return f"{len(record.others)} others ({named})"


def _caption_text(record: Anatomy) -> str:
    whole = "the network itself" if len(record.layers) > 1 else "the only layer"
    weights = _said(record.heaviest("weights"), whole, "holds", "hold", "weights")
    if record.input_shape is None:
        return f"{weights}. To see multiplications too, give the shape of one input: input_shape."
    macs = _said(record.heaviest("macs"), whole, "does", "do", "multiplications")
    told = f"{weights}; {macs}. See where the upper bar is long, and where the lower one is."
    if not record.uncounted:
        return told
    return (
        f"{told} Multiplications are at least so many: {', '.join(record.uncounted)} not counted."
    )


def _said(found: tuple[str, int, float], whole: str, one: str, many: str, what: str) -> str:
    name, count, share = found
    if not count:
        return f"there are no {what}"
    part = f"{percent_text(share, 0)} of the {what}"
    if count == 1:
        return f"{name or whole} {one} {part}"
    return f"its {count} {name} layers {many} {part}"
