"""What stands in place of a view that has nothing to show: a sentence and a button."""

from __future__ import annotations

from collections.abc import Callable

from ipywidgets import Button

from explorer.views.caption import caption
from explorer.widgets import View


class HintView(View):
    """A sentence that says what is missing, and a button that adds it."""

    def __init__(self, on_press: Callable[[], None]) -> None:
        self._sentence = caption()
        self._button = Button()
        self._button.on_click(lambda _button: on_press())
        super().__init__([self._sentence, self._button], "ex-hint")

    def draw(self, sentence: str, action: str = "") -> None:
        """Show a sentence, and a button named by what it does; "" shows no button."""
        self._sentence.value = sentence
        self._button.description = action
        self._button.tooltip = f"{action}: {sentence}" if action else sentence
        self._button.layout.display = "" if action else "none"
