"""One dial: the widget for one field of a setting, and the way between their values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from explorer.compress.methods.setting import Dial
from explorer.controls.help_text import explain
from explorer.widgets import mark

_LOG_FROM = 100
_MAX_TOGGLES = 3
_MAX_TOGGLE_LETTERS = 16


class DialControl:
    """Widget for one field, with its value in the field's own unit."""

    def __init__(self, name: str, dial: Dial, value: Any, changed: Callable[[], None]) -> None:
        self.dial = dial
        self._exact: Any = None
        self._quiet = False
        self._changed = changed
        self.widget = _make(dial)
        self.widget.description = dial.label
        explain(self.widget, dial.help)
        self.widget.add_class(f"ex-dial-{name}")
        if dial.kind == "fraction":
            self.widget.add_class("ex-percent")
        self.value = self.read() if value is None else value
        self.widget.observe(self._moved, "value")

    @property
    def value(self) -> Any:
        """The field's value; finer than the dial's step where it was assigned so."""
        return self._exact

    @value.setter
    def value(self, value: Any) -> None:
        self._exact = value
        self._quiet = True
        try:
            if self.dial.kind == "power":
                self._offer(value)
            self.widget.value = self._shown(value)
            self._mark_off()
        finally:
            self._quiet = False

    def read(self) -> Any:
        """Value that the widget stands at, in the field's unit."""
        shown = self.widget.value
        if self.dial.kind == "fraction":
            return round(shown / 100, 9)
        return shown

    def set_limits(self, low: float, high: float) -> None:
        """Narrow or widen a numeric dial; the value is kept, the widget shows the nearest."""
        if self.dial.kind in ("choice", "power"):
            raise ValueError(
                f"limits must be for a numeric dial, got one of kind {self.dial.kind!r}"
            )
        if low > high or (self._logarithmic and low <= 0):
            raise ValueError(f"limits must be (low, high) with low <= high, got ({low}, {high})")
        low, high = self._place(low), self._place(high)
        self._quiet = True
        try:
            with self.widget.hold_sync():
                self.widget.min = min(self.widget.min, low)
                self.widget.max = high
                self.widget.min = low
                self.widget.value = self._shown(self._exact)
        finally:
            self._quiet = False

    def _place(self, value: float) -> float:
        """Where a value lies between the widget's ``min`` and ``max``."""
        if self.dial.kind == "fraction":
            return 100 * value
        return math.log10(value) if self._logarithmic else value

    @property
    def _logarithmic(self) -> bool:
        return isinstance(self.widget, widgets.FloatLogSlider)

    def _moved(self, _change: Any) -> None:
        if not self._quiet:
            self._exact = self.read()
            self._mark_off()
            self._changed()

    def _mark_off(self) -> None:
        """Let a dial that is off at its left end read so there."""
        if self.dial.off:
            is_off = self._exact <= self.dial.low
            mark(self.widget, "ex-is-off", is_off)

    def _offer(self, value: int) -> None:
        """Give a dial of powers a place for a count between them."""
        options = [(str(count), count) for count in sorted({*_powers(self.dial), value})]
        if options != list(self.widget.options):
            self.widget.options = options

    def _shown(self, value: Any) -> Any:
        if self.dial.kind in ("choice", "power"):
            return value
        if self._logarithmic:
            value = max(value, 10**self.widget.min)
        place = min(max(self._place(value), self.widget.min), self.widget.max)
        return 10**place if self._logarithmic else place


def _make(dial: Dial) -> Any:
    makers: dict[str, Callable[[Dial], Any]] = {
        "fraction": _fraction,
        "integer": _integer,
        "power": _power,
        "number": _number,
        "choice": _choice,
    }
    return makers[dial.kind](dial)


def _fraction(dial: Dial) -> Any:
    step = 100 * dial.step
    places = 0 if math.isclose(step, round(step)) else 1 if step >= 0.1 - 1e-9 else 2
    return widgets.FloatSlider(
        min=100 * dial.low, max=100 * dial.high, step=step, readout_format=f".{places}f"
    )


def _integer(dial: Dial) -> Any:
    return widgets.IntSlider(min=int(dial.low), max=int(dial.high), step=max(1, int(dial.step)))


def _power(dial: Dial) -> Any:
    return widgets.SelectionSlider(options=[(str(power), power) for power in _powers(dial)])


def _powers(dial: Dial) -> list[int]:
    low, high = math.ceil(math.log2(max(1, dial.low))), math.floor(math.log2(dial.high))
    return [2**exponent for exponent in range(low, high + 1)]


def _number(dial: Dial) -> Any:
    if dial.low > 0 and dial.high / dial.low >= _LOG_FROM:
        return widgets.FloatLogSlider(
            value=dial.low,
            min=math.log10(dial.low),
            max=math.log10(dial.high),
            step=0.01,
            readout_format=".3g",
        )
    places = max(0, -math.floor(math.log10(dial.step)))
    return widgets.FloatSlider(
        min=dial.low, max=dial.high, step=dial.step, readout_format=f".{places}f"
    )


def _choice(dial: Dial) -> Any:
    letters = sum(len(label) for label, _ in dial.choices)
    if len(dial.choices) <= _MAX_TOGGLES and letters <= _MAX_TOGGLE_LETTERS:
        return widgets.ToggleButtons(options=dial.choices)
    return widgets.Dropdown(options=dial.choices)
