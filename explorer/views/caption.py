"""The one sentence under a view that says what to look for."""

from __future__ import annotations

from ipywidgets import Label


def caption(text: str = "") -> Label:
    """Make a wrapping caption; its ``value`` is shown as plain text, never as HTML."""
    label = Label(text)
    label.add_class("ex-caption")
    return label
