"""A titled surface that holds one view or a group of controls."""

from __future__ import annotations

from html import escape

from ipywidgets import HTML, VBox, Widget


def card(title: str, hint: str, body: Widget | list[Widget], class_: str = "") -> VBox:
    """Wrap widgets in a card with a heading."""
    remark = f"<span>{escape(hint)}</span>" if hint else ""
    heading = HTML(f'<h2 class="ex-heading">{escape(title)}{remark}</h2>')
    children = body if isinstance(body, list) else [body]
    box = VBox([heading, *children])
    for name in ("ex-card", *class_.split()):
        box.add_class(name)
    return box
