"""The dials of one setting, made from its fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import traitlets
from ipywidgets import Label, ToggleButtons

from explorer.controls.dial import DialControl
from explorer.controls.help_text import explain
from explorer.widgets import View, mark

Limits = Mapping[str, tuple[float, float]]


class SettingControl(View):
    """Dials for the fields of a settings dataclass; ``value`` is the setting they make.

    Every field made with `explorer.compress.methods.setting.dial` gets a widget with the class
    ``ex-dial-<field>``. Fields named together in the class attribute ``exclusive`` exclude
    each other: a toggle, ``ex-pick-<first field>``, chooses which one is used, and the
    others are None. Other fields that are None keep their dial hidden.
    """

    value = traitlets.Any()

    def __init__(self, setting: Any) -> None:
        self._dials: dict[str, DialControl] = {}
        self._picks: dict[tuple[str, ...], ToggleButtons] = {}
        if not dataclasses.is_dataclass(setting) or isinstance(setting, type):
            raise TypeError(
                f"setting must be an instance of a settings dataclass, got {setting!r}; "
                "pass one such as Prune(sparsity=0.9)"
            )
        self._assigning = False
        self._dials = {
            field.name: DialControl(
                field.name, field.metadata["dial"], getattr(setting, field.name), self._moved
            )
            for field in dataclasses.fields(setting)
            if "dial" in field.metadata
        }
        self._picks = {
            group: self._pick(group, setting) for group in getattr(setting, "exclusive", ())
        }
        self._mark_main(setting)
        self._error = Label()
        self._error.add_class("ex-error")
        super().__init__(self._order(), "ex-setting", value=setting)
        self._show(setting)

    def _mark_main(self, setting: Any) -> None:
        """Give the first field's dial, and those it excludes, the class ``ex-main``."""
        first = next(iter(self._dials), None)
        groups = [group for group in getattr(setting, "exclusive", ()) if first in group]
        for name in groups[0] if groups else [first]:
            if name is not None:
                self._dials[name].widget.add_class("ex-main")

    def set_limits(self, limits: Limits) -> None:
        """Set the ranges of dials, by field name, in the fields' units; `value` stays."""
        for name, (low, high) in limits.items():
            if name not in self._dials:
                known = ", ".join(self._dials)
                raise ValueError(f"limits must name fields with a dial ({known}), got {name!r}")
            self._dials[name].set_limits(low, high)

    def _order(self) -> list[Any]:
        children: list[Any] = []
        for name, control in self._dials.items():
            children += [pick for group, pick in self._picks.items() if group[0] == name]
            children.append(control.widget)
        return [*children, self._error]

    def _pick(self, group: tuple[str, ...], setting: Any) -> ToggleButtons:
        options = [(self._dials[name].dial.label, name) for name in group]
        used = next((name for name in group if getattr(setting, name) is not None), group[0])
        pick = ToggleButtons(options=options, value=used, description="Set by")
        pick.tooltips = [self._dials[name].dial.help for name in group]
        explain(pick, "Which of these dials sets the step; the others are hidden.")
        pick.add_class(f"ex-pick-{group[0]}")
        pick.observe(lambda _change: self._moved(), "value")
        return pick

    @traitlets.validate("value")
    def _check(self, proposal: Any) -> Any:
        new, old = proposal["value"], getattr(self, "value", None)
        if old is not None and type(new) is not type(old):
            raise TypeError(
                f"value must be a {type(old).__name__}, got {new!r}; "
                "make another SettingControl for another kind of setting"
            )
        return new

    @traitlets.observe("value")
    def _assigned(self, change: Any) -> None:
        if not self._assigning:
            self._show(change["new"])

    def _show(self, setting: Any) -> None:
        """Move the dials to a setting without taking their moves for the user's."""
        self._assigning = True
        try:
            for group, pick in self._picks.items():
                pick.value = next((n for n in group if getattr(setting, n) is not None), group[0])
            for name, control in self._dials.items():
                value = getattr(setting, name)
                if value is not None:
                    control.value = value
            self._hide_unused(setting)
            self._say("")
        finally:
            self._assigning = False

    def _moved(self) -> None:
        if self._assigning:
            return
        values = {name: control.value for name, control in self._dials.items()}
        for group, pick in self._picks.items():
            values |= {name: None for name in group if name != pick.value}
        picked = {name for group in self._picks for name in group}
        for name in values.keys() - picked:
            if getattr(self.value, name) is None:
                values[name] = None
        try:
            setting = dataclasses.replace(self.value, **values)
        except (ValueError, TypeError) as error:
            self._say(str(error))
            return
        self._assigning = True
        try:
            self._say("")
            self._hide_unused(setting)
            self.value = setting
        finally:
            self._assigning = False

    def _hide_unused(self, setting: Any) -> None:
        for name, control in self._dials.items():
            unused = getattr(setting, name) is None
            mark(control.widget, "ex-unused", unused)

    def _say(self, text: str) -> None:
        self._error.value = text
        mark(self._error, "ex-unused", not text)
