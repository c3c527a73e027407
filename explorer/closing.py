"""Closing widgets: they leave the browser and the kernel together."""

from __future__ import annotations

from ipywidgets import Box, Widget


def close_all(*widgets: Widget) -> None:
    """Close widgets, everything inside their boxes, and their layouts and styles."""
    for widget in widgets:
        if isinstance(widget, Box):
            close_all(*widget.children)
        for part in (getattr(widget, "layout", None), getattr(widget, "style", None)):
            if isinstance(part, Widget):
                part.close()
        widget.close()
