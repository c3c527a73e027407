"""The stylesheet as a widget, with the names that assistive technology needs."""

from __future__ import annotations

from explorer.views.front_end import script, stylesheet
from explorer.widgets import ScriptView


class Style(ScriptView):
    """Apply the stylesheet to the page and name the controls inside ``.ex-root``.

    Show one inside every root box. ipywidgets gives its sliders no accessible name and
    reports their values rounded; this sets both from the label and readout beside them,
    names icon buttons by their tooltips, says of a step's buttons which lead nowhere, and gives
    focus back to a button whose row moved. In a notebook, keys that are pressed inside go to the
    page alone, the page says when its kernel is gone, and its `Still` is out of sight.
    """

    _esm = script("notebook.js", "style.js")
    _css = stylesheet()
