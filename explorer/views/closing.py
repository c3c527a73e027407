"""Closing a view: its widgets leave the browser and the kernel together."""

from __future__ import annotations

from ipywidgets import Box, Widget


def close_all(*widgets: Widget) -> None:
    """Close widgets and everything inside their boxes."""
    for widget in widgets:
        if isinstance(widget, Box):
            close_all(*widget.children)
        widget.close()
