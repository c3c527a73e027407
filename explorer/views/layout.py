"""The page: head and figures across the top, recipe on the left, views on the right."""

from __future__ import annotations

from html import escape

from ipywidgets import HTML, Box, VBox, Widget

from explorer.views.assets import HelpText, Style


def area(name: str, children: list[Widget]) -> Box:
    """Make one area of the page."""
    box = Box(children)
    box.add_class(f"ex-{name}")
    return box


def title(text: str, subtitle: str = "") -> HTML:
    """Make the page's heading; both strings are shown as plain text."""
    markup = (
        f'<h1 class="ex-title">{escape(text)}</h1><p class="ex-subtitle">{escape(subtitle)}</p>'
    )
    heading = HTML(markup)
    heading.add_class("ex-heading-box")
    return heading


def page(head: list[Widget], figures: list[Widget], side: list[Widget], main: list[Widget]) -> VBox:
    """Compose the areas into one page that adapts to its own width, not the window's."""
    areas = [
        area("head", head),
        area("figures", figures),
        area("side", side),
        area("main", main),
    ]
    grid = Box(areas)
    grid.add_class("ex-page")
    root = VBox([Style(), HelpText(), grid])
    root.add_class("ex-root")
    return root
