"""Legends below a plot: what stands for what."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


def legend(keys: Iterable[str]) -> str:
    """Markup of a legend of keys such as `swatch_key` and `glyph_key` make."""
    return f'<div class="ex-legend">{"".join(keys)}</div>'


def swatch_key(kind: str, name: str) -> str:
    """Markup of a small square or line, of the CSS class ``ex-swatch-`` and `kind`, and a name."""
    return f'<span><i class="ex-swatch ex-swatch-{kind}"></i>{escape(name)}</span>'


def glyph_key(glyph: str, name: str, class_: str = "") -> str:
    """Markup of a character, with a CSS class for its color, and a name."""
    return f'<span><i class="ex-glyph {class_}">{escape(glyph)}</i>{escape(name)}</span>'
