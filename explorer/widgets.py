"""View: a widget that draws a record, closes itself with all its parts, and hides itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import anywidget
from ipywidgets import VBox, Widget

HIDDEN = "ex-hidden"


def mark(widget: Any, css: str, on: bool = True) -> None:
    """Give a widget CSS classes, set apart by spaces, or take them away."""
    for name in css.split():
        (widget.add_class if on else widget.remove_class)(name)


def show(widget: Any, on: bool) -> None:
    """Show or hide a widget, which stays in its place."""
    mark(widget, HIDDEN, not on)


def close(widget: Widget) -> None:
    """Close a widget with all that it holds: its parts, layout, style, marks, scales."""
    if isinstance(widget, Closing):
        widget.close()
    elif widget.comm is not None:
        widget.close()
        _close_parts(widget)


def _close_parts(widget: Widget) -> None:
    for part in list(_widgets_in(vars(widget))):
        close(part)


def _widgets_in(value: object) -> Iterator[Widget]:
    if isinstance(value, Widget):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _widgets_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _widgets_in(each)


class Closing(Widget):
    """A widget that closes its parts too: those it shows and those its attributes hold."""

    def close(self) -> None:
        """Leave the browser and the kernel, with all parts."""
        if self.comm is not None:
            super().close()
            _close_parts(self)


def nowhere(_layer: str) -> None:
    """Choose no layer."""


class View(Closing, VBox):
    """A column of widgets that draws records with ``draw``; it holds no model, computes nothing.

    A view in which a layer can be chosen calls `on_select` with its name.
    """

    children: Any

    def __init__(self, children: Sequence[Widget] = (), css: str = "", **traits: Any) -> None:
        self.on_select: Callable[[str], None] = nowhere
        super().__init__(tuple(children), **traits)
        mark(self, css)

    @property
    def shown(self) -> bool:
        """Whether it is not hidden; assign to hide or show it."""
        return HIDDEN not in self._dom_classes

    @shown.setter
    def shown(self, shown: bool) -> None:
        show(self, shown)

    @property
    def widget(self) -> View:
        """Itself."""
        return self


class ScriptView(Closing, anywidget.AnyWidget):
    """What a script draws in the browser. Once it is drawn it hears of no changed CSS class."""

    def __init__(self, css: str = "", **traits: Any) -> None:
        super().__init__(**traits)
        mark(self, css)

    @property
    def widget(self) -> ScriptView:
        """Itself."""
        return self
