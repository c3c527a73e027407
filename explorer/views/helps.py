"""The controls' tooltips for who has no mouse."""

from __future__ import annotations

from explorer.views.front_end import text
from explorer.widgets import ScriptView


class Helps(ScriptView):
    """Give every control inside ``.ex-root`` its tooltip as an accessible description.

    A tooltip is shown as well while its control has the focus by keyboard, and for some
    seconds where its label was touched; Escape takes it away. Show one inside every root box.
    """

    _esm = text("helps.js")
