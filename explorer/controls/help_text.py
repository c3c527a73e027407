"""Names and help of settings and controls, in words."""

from __future__ import annotations

import re
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


def title_of(kind: type) -> str:
    """Name of a kind of setting in words: its ``title``, or ``LowRank`` as ``"Low rank"``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__)
    return getattr(kind, "title", words.capitalize())


def help_of(kind: type) -> str:
    """One line on a kind of setting: its ``help``, or the first line of its docstring."""
    lines = (kind.__doc__ or "").strip().splitlines() or [""]
    return getattr(kind, "help", lines[0].replace("`", ""))
