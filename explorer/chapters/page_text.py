"""A chapter without a connection: its texts and tables."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import torch
from ipywidgets import VBox
from nbconvert.preprocessors import Preprocessor

from explorer import zoo
from explorer.measure.anatomy import anatomy
from explorer.measure.profile import input_shape
from explorer.views.anatomy import AnatomyView
from explorer.views.assets import Style
from explorer.views.parts import card

STILL = "still"
CODE = r"(?P<code>```.*?```|`[^`\n]*`)"
BLOCK = r"\$\$(?P<block>.+?)\$\$"
INLINE = r"(?<![\\$\w])\$(?P<inline>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\w$])"
FORMULAS = re.compile(f"{CODE}|{BLOCK}|{INLINE}", re.DOTALL)
SPECIAL = re.compile(r"[*_`~|\[\]\\$]")


def with_formulas(source: str) -> str:
    r"""Turn the formulas of a Markdown text into MathML, which browsers typeset by themselves.

    `source`: markdown; formulas in LaTeX between single or double dollar signs. Code is left alone.

    Examples
    --------
    >>> with_formulas("about $k$ values").startswith('about <math')
    True
    """
    return FORMULAS.sub(_replaced, source)


class PageText(Preprocessor):
    """Prepares a chapter for Voila, whose template names it in ``conf.json``.

    Cells tagged ``still`` hold a picture that stands in for live widgets elsewhere, and are left
    out; the text of the others goes through `with_formulas`.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Return the notebook as the page shows it."""
        nb.cells = [cell for cell in nb.cells if STILL not in cell.metadata.get("tags", [])]
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                cell.source = with_formulas(cell.source)
        return nb, resources


def _replaced(found: re.Match[str]) -> str:
    if found["code"]:
        return found[0]
    if found["block"]:
        return f"\n\n<div>{_mathml(found['block'].strip(), 'block')}</div>\n\n"
    return _mathml(found["inline"], "inline")


@lru_cache(maxsize=256)
def _mathml(latex: str, display: str) -> str:
    """Typeset one formula, on one line, with nothing in it that Markdown would take for its own."""
    from latex2mathml.converter import convert

    markup = " ".join(convert(latex, display=display).split())
    return SPECIAL.sub(lambda sign: f"&#{ord(sign[0])};", markup)


def layer_table(name: str) -> VBox:
    """Show what each layer of a network takes of the weights and of the multiplications.

    Nothing is downloaded or computed, and no weight takes memory: shapes say it all.

    `name`: one of ``explorer.catalog()``. Returns: a widget to display. Raises ValueError if there
    is no such network.
    """
    with torch.device("meta"):
        net = zoo.load(name, weights=None).net
    view = AnatomyView()
    view.draw(anatomy(net, input_shape(net)))
    box = VBox([Style(), card(name, "layer by layer", view.widget)])
    for class_ in ("ex-root", "ex-aside", "ex-aside-wide"):
        box.add_class(class_)
    return box
