"""Weights and operations left in each layer, beside what a paper left."""

from __future__ import annotations

from explorer.measure.published.pruning import LayerCost, LayerCosts, PublishedLayer
from explorer.views.caption import caption
from explorer.views.format import DASH, count_text, percent_text
from explorer.views.table import Table
from explorer.widgets import View


class LayerCostsView(View):
    """A row for each layer and one for all."""

    def __init__(self) -> None:
        self._table = Table("Weights and operations left in each layer", "ex-table-total")
        self._caption, self._source = caption(), caption()
        self._source.add_class("ex-sources")
        super().__init__([self._table, self._caption, self._source])

    def draw(self, record: LayerCosts) -> None:
        """Show a record."""
        theirs = [*record.published.layers, record.published.total] if record.published else []
        ours = [*record.layers, record.total]
        rows = [
            _cells(row, theirs[i] if theirs else None, bool(record.n_samples))
            for i, row in enumerate(ours)
        ]
        self._table.show([(head, "") for head in _heads(record)], rows)
        self._caption.value = _caption_text(record)
        self._source.value = f"{record.published.source}." if record.published else ""


def _heads(record: LayerCosts) -> list[str]:
    """Name the columns: the paper's stand behind ours."""
    inputs = ["Inputs not 0"] if record.n_samples else []
    if not record.published:
        return ["Layer", "Weights", *inputs, "FLOP"]
    return ["Layer", "Weights", "Weights, paper", *inputs, "FLOP", "FLOP, paper"]


def _cells(row: LayerCost, theirs: PublishedLayer | None, with_density: bool) -> list[str]:
    kept, flops = [percent_text(row.kept)], [percent_text(row.flops)]
    name = row.name
    if theirs is not None:
        name = name if theirs.name == name else f"{name} ({theirs.name})"
        kept.append(_printed(theirs.kept))
        flops.append(_printed(theirs.flops))
    inputs = [_percent(row.density)] if with_density else []
    return [name, *kept, *inputs, *flops]


def _percent(fraction: float | None) -> str:
    return "" if fraction is None else percent_text(fraction)


def _printed(fraction: float | None) -> str:
    """Write a fraction in percent with the digits that the paper gives."""
    return DASH if fraction is None else f"{100 * fraction:g}%"


def _caption_text(record: LayerCosts) -> str:
    counted = (
        "multiplications left, times the inputs that are not zero, counted on "
        f"{record.n_samples:,} samples; the first layer's count in full."
        if record.n_samples
        else "zeros among the weights are skipped; without data those among activations are not "
        "counted."
    )
    how = f"What is left of each layer. FLOP: {counted}"
    if record.other_macs:
        how += (
            f" The total has {count_text(record.other_macs)} multiplications more, of which no "
            "zero saves any: recurrent layers, attention and the like."
        )
    if record.published is None:
        return f"{how} See which layer keeps most: that one is pruned least."
    table = record.published
    other = "" if table.same else f" The paper's {table.network} has layers of other widths."
    look = "See which layers are pruned more than the paper's, and which less."
    return f"{how} {look}{other}"
