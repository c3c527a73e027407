"""A chapter's text as a page without a connection needs it: formulas typeset, pictures left out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from nbconvert.preprocessors import Preprocessor

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
