"""The page: head and figures across the top, recipe on the left, views on the right."""

from __future__ import annotations

from html import escape

from ipywidgets import HTML, Box, VBox, Widget

from explorer.views.helps import Helps
from explorer.views.style import Style


def area(name: str, children: list[Widget]) -> Box:
    """Make one area of the page.

    Parameters
    ----------
    name : {"head", "figures", "side", "main", "grid", "column"}
        Gives the class ``ex-<name>``; ``"grid"`` holds columns of cards, and wide ones.
    children : list of Widget
        Its content.
    """
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
    """Compose the areas into one page that adapts to its own width, not the window's.

    Parameters
    ----------
    head, figures, side, main : list of Widget
        Content of the areas: title and model picker; the five figures and the status;
        the recipe's cards; the views' cards or a tab widget.

    Returns
    -------
    VBox
        With the class ``ex-root``; it includes the stylesheet.
    """
    areas = [
        area("head", head),
        area("figures", figures),
        area("side", side),
        area("main", main),
    ]
    grid = Box(areas)
    grid.add_class("ex-page")
    root = VBox([Style(), Helps(), grid])
    root.add_class("ex-root")
    return root
