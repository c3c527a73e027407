"""Scripts and stylesheets of the page, and the widgets that apply them."""

from __future__ import annotations

from pathlib import Path

from explorer.widgets import ScriptView

SHEETS = (
    "colors",
    "page",
    "controls",
    "parts",
    "runs",
    "states",
    "anatomy",
    "help",
    "comparison",
    "chapters",
    "phone",
)


def source(name: str) -> Path:
    """Path of a script or stylesheet that is packaged beside the views."""
    return Path(__file__).parent / name


def text(name: str) -> str:
    """Text of a script or stylesheet; given as a path, it would hold each widget for ever."""
    return source(name).read_text("utf-8")


def script(*names: str) -> str:
    """Text of a view's scripts, one after the other, behind what all of them share."""
    return "\n".join(map(text, ("elements.js", *names)))


def stylesheet() -> str:
    """Text of all stylesheets; colors come first, and of two equal rules the later wins."""
    return "\n".join(text(f"styles/{name}.css") for name in SHEETS)


class Style(ScriptView):
    """Apply the stylesheet to the page and name the controls inside ``.ex-root``.

    Show one inside every root box. ipywidgets gives its sliders no accessible name and
    reports their values rounded; this sets both from the label and readout beside them,
    names icon buttons by their tooltips, says of a step's buttons which lead nowhere, and gives
    focus back to a button whose row moved. In a notebook, keys that are pressed inside go to the
    page alone, the page says when its kernel is gone, and its `Still` is out of sight.
    """

    _esm = script("notebook.js", "accessibility.js")
    _css = stylesheet()


class HelpText(ScriptView):
    """Give every control inside ``.ex-root`` its tooltip as an accessible description.

    A tooltip is shown as well while its control has the focus by keyboard, and for some
    seconds where its label was touched; Escape takes it away. Show one inside every root box.
    """

    _esm = text("help_text.js")
