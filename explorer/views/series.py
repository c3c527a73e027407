"""Colors and markers that tell many lines apart, also without color."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.views.legend import glyph_key

N_COLORS = 8
MARKERS = (
    ("circle", "\N{BLACK CIRCLE}"),
    ("square", "\N{BLACK SQUARE}"),
    ("diamond", "\N{BLACK DIAMOND}"),
    ("triangle-up", "\N{BLACK UP-POINTING TRIANGLE}"),
    ("triangle-down", "\N{BLACK DOWN-POINTING TRIANGLE}"),
    ("cross", "\N{HEAVY GREEK CROSS}"),
    ("rectangle", "\N{BLACK RECTANGLE}"),
    ("arrow", "\N{BLACK RIGHT-POINTING POINTER}"),
)


@dataclass(frozen=True)
class Series:
    """How one line looks.

    Attributes
    ----------
    number : int
        Of its color, from 1 to 8.
    marker, glyph : str
        bqplot's name of its marker, and a character like it.
    """

    number: int
    marker: str
    glyph: str

    @property
    def color(self) -> str:
        """CSS color."""
        return f"var(--ex-series-{self.number})"

    def key(self, name: str) -> str:
        """Markup of the legend's entry."""
        return glyph_key(self.glyph, name, f"ex-series-{self.number}")


def series(index: int) -> Series:
    """Return the look of a line, different for the first 64."""
    turn = index // N_COLORS
    marker, glyph = MARKERS[(index + 3 * turn) % len(MARKERS)]
    return Series(index % N_COLORS + 1, marker, glyph)
