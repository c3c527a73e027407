"""Closing widgets: they leave the browser and the kernel together."""

from __future__ import annotations

from ipywidgets import Box, Widget

PARTS = ("layout", "style", "scale_x", "scale_y")


def close_all(*widgets: Widget) -> None:
    """Close widgets, everything inside their boxes, and their layouts, styles and own scales."""
    for widget in widgets:
        if isinstance(widget, Box):
            close_all(*widget.children)
        for part in [getattr(widget, name, None) for name in PARTS]:
            if isinstance(part, Widget):
                part.close()
        widget.close()
