"""A picture of the page that stays in a notebook: figures, recipe, and a layer's weights."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from textwrap import shorten, wrap

import numpy as np

from explorer.measure.maps import Histogram

WIDTH, MARGIN, LINE = 880, 20, 19
CELL = (WIDTH - 2 * MARGIN) / 5
TOP, PLOT = 108, 150
MOST_LETTERS, MOST_LINES, MOST_DETAIL = 118, 3, 27
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
INK, MUTED, ACCENT, BEFORE, EDGE = "#101828", "#556070", "#2156dc", "#bcc6d5", "#e3e8ef"
SENTENCE = "This is how the explorer last looked; run the cell to turn its dials again."

# What a notebook's front end says in place of a widget whose kernel is gone.
LOST = (
    ".jp-OutputArea-child:has(> .jp-OutputArea-output > .ex-still-{key}) + .jp-OutputArea-child "
    "> .jp-OutputArea-output.jupyter-widgets {{ display: none; }}"
)


@dataclass(frozen=True)
class Still:
    """What a picture of the page shows.

    `figures`: value, change and detail of each figure by its name, as they read on the page.
    `recipe`: in words. `layer`: whose weights are drawn. `weights`: none where they are not known.
    """

    figures: Mapping[str, tuple[str, str, str]]
    recipe: str
    layer: str
    weights: Histogram | None

    @property
    def text(self) -> str:
        """All of it but the weights, in words."""
        figures = "; ".join(f"{name} {value}" for name, (value, *_) in self.figures.items())
        return f"{figures}. Recipe: {self.recipe}."

    def svg(self) -> str:
        """Draw it."""
        parts = [_figure(i, name, *shown) for i, (name, shown) in enumerate(self.figures.items())]
        lines = wrap(f"Recipe: {self.recipe}", MOST_LETTERS)
        if len(lines) > MOST_LINES:
            lines = [*lines[: MOST_LINES - 1], f"{lines[MOST_LINES - 1][:-1]}{ELLIPSIS}"]
        parts += [_text(MARGIN, TOP + LINE * (i + 1), line) for i, line in enumerate(lines)]
        below = TOP + LINE * len(lines) + 16
        height = below
        if self.weights is not None:
            words = f"Weights of layer {self.layer}, before (grey) and after (blue)"
            parts.append(_text(MARGIN, below + LINE, words, MUTED, 13))
            parts.append(_bars(self.weights, below + LINE + 10))
            height = below + LINE + 10 + PLOT + MARGIN
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" font-family="system-ui, sans-serif">'
            f'<rect width="{WIDTH}" height="{height}" rx="14" fill="#fff" stroke="{EDGE}"/>'
            f"{''.join(parts)}</svg>"
        )

    def html(self, key: str) -> str:
        """Return it as a figure, out of sight where the page of class ``ex-shows-KEY`` lives."""
        data = b64encode(self.svg().encode()).decode()
        return (
            f'<figure class="ex-still ex-still-{key}" style="margin: 0">'
            f'<img alt="{escape(self.text)}" style="max-width: 100%" '
            f'src="data:image/svg+xml;base64,{data}"><figcaption>{SENTENCE}</figcaption>'
            f"<style>{LOST.format(key=key)}</style></figure>"
        )


def _text(x: float, y: float, words: str, fill: str = INK, size: int = 14, more: str = "") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}"{more}>{escape(words)}</text>'
    )


def _figure(i: int, name: str, value: str, *details: str) -> str:
    x = MARGIN + i * CELL
    lines = [_text(x, MARGIN + 12, name, MUTED, 13)]
    lines.append(_text(x, MARGIN + 40, value, INK, 22, ' font-weight="600"'))
    shown = [shorten(each, MOST_DETAIL, placeholder=ELLIPSIS) for each in details if each]
    lines += [_text(x, MARGIN + 60 + 16 * i, each, MUTED, 12) for i, each in enumerate(shown)]
    return "".join(lines)


def _bars(weights: Histogram, top: float) -> str:
    """Draw both counts as filled outlines whose heights grow with the square root."""
    most = max(1.0, float(max(weights.before.max(initial=0), weights.after.max(initial=0))))
    shapes = [(weights.before, BEFORE, 1.0), (weights.after, ACCENT, 0.7)]
    return "".join(_outline(counts / most, top, fill, seen) for counts, fill, seen in shapes)


def _outline(parts: np.ndarray, top: float, fill: str, opacity: float) -> str:
    step = (WIDTH - 2 * MARGIN) / max(1, parts.size)
    path = [f"M{MARGIN} {top + PLOT:.0f}"]
    path += [f"V{top + PLOT * (1 - part**0.5):.1f}h{step:.2f}" for part in parts]
    return f'<path d="{"".join(path)}V{top + PLOT:.0f}z" fill="{fill}" fill-opacity="{opacity}"/>'
