"""The recipe as a stack of steps that can be added, moved, switched off and removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import traitlets
from ipywidgets import Button, Checkbox, HBox, Label, VBox

from explorer.controls.help_text import help_of, title_of
from explorer.controls.setting import Limits, SettingControl
from explorer.widgets import View, mark

_MANY_KINDS = 5  # where as many are offered, a narrow page shows the main dials alone


class StepStack(View):
    """Steps of a recipe, in order, with buttons that add more."""

    value = traitlets.Tuple()

    def __init__(
        self,
        available: Iterable[Any],
        value: Iterable[Any] = (),
        place: Callable[[Sequence[type], type], int] = lambda kinds, _kind: len(kinds),
    ) -> None:
        self._place = place
        self._starts = list(available)
        self._limits: Limits = {}
        self._steps: list[Step] = []
        self._busy = False
        self._list = VBox()
        self._list.add_class("ex-stack")
        self._offered = {_kind(start) for start in self._starts}
        self._adders = {_kind(start): self._adder(start) for start in self._starts}
        self._add = HBox(list(self._adders.values()))
        self._add.add_class("ex-add")
        super().__init__([self._list, self._add], "ex-stack")
        self._shorten()
        self.value = tuple(value)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps from top to bottom, switched off or not."""
        return tuple(self._steps)

    def set_limits(self, limits: Limits) -> None:
        """Set ranges of dials by field name, in every step that has such a field, now and later."""
        self._limits = dict(limits)
        for step in self._steps:
            self._limit(step)

    def offer(self, kinds: Iterable[type]) -> None:
        """Offer to add steps of these kinds; show only the main dial of the others."""
        self._offered = set(kinds)
        self._add.children = [b for kind, b in self._adders.items() if kind in self._offered]
        for step in self._steps:
            step.compact = step.kind not in self._offered
        self._shorten()

    def add(self, setting: Any) -> None:
        """Add a step, where `place` says."""
        place = self._place([step.kind for step in self._steps], type(setting))
        self._steps.insert(place, self._make(setting))
        self._arrange()

    def _shorten(self) -> None:
        is_long = len(self._add.children) >= _MANY_KINDS
        mark(self, "ex-brief", is_long)

    def _adder(self, start: Any) -> Button:
        kind = _kind(start)
        name = title_of(kind)
        button = Button(description=f"+ {name}", tooltip=help_of(kind))
        button.add_class(f"ex-add-{kind.__name__.lower()}")
        button.on_click(lambda _: self.add(start() if isinstance(start, type) else start))
        return button

    def _make(self, setting: Any) -> Step:
        step = Step(setting, self._collect, self._move)
        step.compact = step.kind not in self._offered
        self._limit(step)
        return step

    def _limit(self, step: Step) -> None:
        fields = {name: v for name, v in self._limits.items() if hasattr(step.control.value, name)}
        step.control.set_limits(fields)

    def _move(self, step: Step, by: int) -> None:
        here = self._steps.index(step)
        there = here + by
        if by and not 0 <= there < len(self._steps):
            return
        self._steps.pop(here)
        if by:
            self._steps.insert(there, step)
        self._arrange()
        if not by:
            step.close()

    def _arrange(self) -> None:
        self._list.children = tuple(self._steps)
        self._collect()

    def _collect(self) -> None:
        if not self._busy:
            self._busy = True
            try:
                self.value = tuple(step.control.value for step in self._steps if step.enabled)
            finally:
                self._busy = False

    @traitlets.observe("value")
    def _assigned(self, change: Any) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            self._show(change["new"])
        finally:
            self._busy = False

    def _show(self, settings: tuple[Any, ...]) -> None:
        enabled = [step for step in self._steps if step.enabled]
        if [step.kind for step in enabled] == [type(setting) for setting in settings]:
            for step, setting in zip(enabled, settings, strict=True):
                step.control.value = setting
            return
        spare = list(self._steps)
        self._steps = [self._reuse(spare, setting) for setting in settings]
        self._list.children = tuple(self._steps)
        for step in spare:
            step.close()

    def _reuse(self, spare: list[Step], setting: Any) -> Step:
        for step in spare:
            if step.kind is type(setting):
                spare.remove(step)
                step.control.value = setting
                step.switch.value = True
                return step
        return self._make(setting)


def _kind(start: Any) -> type:
    return start if isinstance(start, type) else type(start)


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
