"""Parts that views share: card, caption, legend, hint; areas of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from ipywidgets import HTML, Box, Button, Label, VBox, Widget

from explorer.views.assets import HelpText, Style
from explorer.widgets import View


def heading(title: str, hint: str) -> HTML:
    """Make a card's heading, with a short remark beside it; shown as plain text."""
    remark = f"<span>{escape(hint)}</span>" if hint else ""
    return HTML(f'<h2 class="ex-heading">{escape(title)}{remark}</h2>')


def card(title: str, hint: str, body: Widget | list[Widget], css: str = "") -> View:
    """Wrap widgets in a card with a heading."""
    children = body if isinstance(body, list) else [body]
    return View([heading(title, hint), *children], f"ex-card {css}")


def caption(text: str = "") -> Label:
    """Make a wrapping caption; its ``value`` is shown as plain text, never as HTML."""
    label = Label(text)
    label.add_class("ex-caption")
    return label


def legend(keys: Iterable[str]) -> str:
    """Markup of a legend of keys such as `swatch_key` and `glyph_key` make."""
    return f'<div class="ex-legend">{"".join(keys)}</div>'


def swatch_key(kind: str, name: str) -> str:
    """Markup of a small square or line, of the CSS class ``ex-swatch-`` and `kind`, and a name."""
    return f'<span><i class="ex-swatch ex-swatch-{kind}"></i>{escape(name)}</span>'


def glyph_key(glyph: str, name: str, class_: str = "") -> str:
    """Markup of a character, with a CSS class for its color, and a name."""
    return f'<span><i class="ex-glyph {class_}">{escape(glyph)}</i>{escape(name)}</span>'


class HintView(View):
    """A sentence that says what is missing, and a button that adds it."""

    def __init__(self, on_press: Callable[[], None] | None = None) -> None:
        self._sentence = caption()
        self._button = Button()
        if on_press is not None:
            self._button.on_click(lambda _button: on_press())
        super().__init__([self._sentence, self._button], "ex-hint")

    def draw(self, sentence: str, action: str = "") -> None:
        """Show a sentence, and a button named by what it does; "" shows no button."""
        self._sentence.value = sentence
        self._button.description = action
        self._button.tooltip = f"{action}: {sentence}" if action else sentence
        self._button.layout.display = "" if action else "none"


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
