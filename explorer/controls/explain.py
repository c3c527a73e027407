"""What a control is for, in words that reach everybody."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import Dropdown


def explain(widget: Any, words: str) -> None:
    """Say what a control does: as its tooltip and its accessible description.

    ipywidgets gives a dropdown's tooltip to no element; its label carries the words instead.
    """
    widget.tooltip = words
    if isinstance(widget, Dropdown) and not widget.description_allow_html:
        label = escape(widget.description)
        widget.description_allow_html = True
        widget.description = f'<span title="{escape(words)}">{label}</span>'
