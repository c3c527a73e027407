"""One step of a recipe: its heading, with a switch and buttons, and its dials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipywidgets import Button, Checkbox, HBox, Label

from explorer.controls.kind_words import help_of, title_of
from explorer.controls.setting_control import SettingControl
from explorer.widgets import View, mark

_MORE, _LESS = "\N{HORIZONTAL ELLIPSIS}", "\N{MINUS SIGN}"
_UP, _DOWN, _REMOVE = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}", "\N{MULTIPLICATION SIGN}"


class Step(View):
    """A heading with its switch and buttons, a line of help, and the dials."""

    def __init__(
        self,
        setting: Any,
        changed: Callable[[], None],
        moved: Callable[[Step, int], None],
    ) -> None:
        self.kind = type(setting)
        self.control = SettingControl(setting)
        name = title_of(self.kind)
        self.switch = Checkbox(value=True, description=name, indent=False)
        self.switch.tooltip = f"Use the step {name}, or leave it out to see what it does."
        self.switch.add_class("ex-switch")
        number = f"{id(self):x}"
        self._more = _icon(_MORE, f"All settings of {name}", f"{number}-more", self._toggle)
        buttons = [
            self._more,
            _icon(_UP, f"Move {name} up", f"{number}-up", lambda: moved(self, -1)),
            _icon(_DOWN, f"Move {name} down", f"{number}-down", lambda: moved(self, 1)),
            _icon(_REMOVE, f"Remove {name}", f"{number}-remove", lambda: moved(self, 0)),
        ]
        head = HBox([self.switch, *buttons])
        head.add_class("ex-step-head")
        line = Label(help_of(self.kind))
        line.add_class("ex-step-help")
        css = f"ex-step ex-step-{self.kind.__name__.lower()}"
        super().__init__([head, line, self.control], css)
        self.control.observe(lambda _change: changed(), "value")
        self.switch.observe(lambda change: self._switched(change["new"], changed), "value")

    @property
    def compact(self) -> bool:
        """Whether only the main dial is shown."""
        return "ex-compact" in self._dom_classes

    @compact.setter
    def compact(self, compact: bool) -> None:
        mark(self, "ex-compact", compact)
        self._more.description = _MORE if compact else _LESS

    def _toggle(self) -> None:
        self.compact = not self.compact

    @property
    def enabled(self) -> bool:
        """Whether the step is part of the recipe."""
        return self.switch.value

    def _switched(self, on: bool, changed: Callable[[], None]) -> None:
        mark(self, "ex-off", not on)
        changed()


def _icon(text: str, tooltip: str, key: str, pressed: Callable[[], None]) -> Button:
    button = Button(description=text, tooltip=tooltip)
    button.add_class("ex-icon")
    button.add_class(f"ex-key-{key}")
    button.on_click(lambda _: pressed())
    return button
