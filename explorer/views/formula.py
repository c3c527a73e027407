"""A formula in symbols, with numbers, and beside what was measured."""

from __future__ import annotations

from functools import lru_cache

import traitlets

from explorer.measure.formulas.formula import Formula
from explorer.views.assets import script
from explorer.views.parts import caption
from explorer.widgets import ScriptView, View


class FormulaBox(ScriptView):
    """Formulas as MathML; a line is replaced only where its markup changed."""

    _esm = script("formula.js")

    items: traitlets.List = traitlets.List().tag(sync=True)


class FormulaView(View):
    """Formulas typeset in symbols and with the current numbers, beside the measured figure."""

    def __init__(self) -> None:
        self._box = FormulaBox("ex-formulas")
        self._caption = caption()
        super().__init__([self._box, self._caption])

    def draw(self, *records: Formula) -> None:
        """Show formulas, top to bottom."""
        self._box.items = [_item(record) for record in records]
        self._caption.value = _caption_text(records)


def _item(record: Formula) -> dict[str, str]:
    return {
        "name": record.name,
        "symbols": _mathml(record.latex),
        "filled": _mathml(record.filled),
        "spoken": record.spoken,
        "value": record.value_text,
        "measured": record.measured_text,
        "source": record.measured_name,
        "note": record.note,
    }


@lru_cache(maxsize=64)
def _mathml(latex: str) -> str:
    from latex2mathml.converter import convert

    return convert(latex, display="block")


def _caption_text(records: tuple[Formula, ...]) -> str:
    if not records:
        return "No formula belongs to this recipe."
    compared = [record for record in records if record.measured_text]
    if compared and all(record.measured_text == record.value_text for record in compared):
        return "The two numbers are equal: the formula leaves nothing out that could be seen."
    if compared:
        return "Look at the two numbers: the gap is what the formula leaves out."
    return "See which symbol your dial moves, and how the result follows it."
