"""The cards of a run: which there are, where they stand, and what each draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ipywidgets import VBox

from explorer.closing import close_all
from explorer.experiments.experiment import Experiment
from explorer.session.training_log import TrainingLog
from explorer.views.layout import area
from explorer.views.parts import card


@dataclass(frozen=True)
class Run:
    """What there is to see of a run.

    Attributes
    ----------
    plan : Experiment
        As the dials stand.
    log : TrainingLog
    layer : str
        The layer up close.
    """

    plan: Experiment
    log: TrainingLog
    layer: str


@dataclass(frozen=True)
class RunView:
    """One view of a run, in a card of its own.

    Attributes
    ----------
    name : str
    title, hint : str
        The card's heading and the remark beside it.
    place : {"left", "right", "below", "wide"}
        One of the columns, or below both, across half or all of the width. Where the cards below
        do not fill their last row, the first of them stands in the column with fewer cards.
    make : callable
        Makes the view.
    record : callable
        Takes a `Run` to what the view draws, or a tuple of it; None hides the card.
    """

    name: str
    title: str
    hint: str
    place: str
    make: Callable[[], Any]
    record: Callable[[Run], Any]


class RunViews:
    """Cards of a run, in two columns and in rows below them.

    Only cards that have something to show are displayed: a figure cannot be laid out where
    it is hidden.

    Parameters
    ----------
    views : sequence of RunView
    shown : mapping of type to tuple of str
        Names of the views that each kind of plan shows.
    first : VBox
        The card above all others on the left.
    last : tuple of VBox
        Cards below all others.
    prefix : str
        Of the cards' CSS classes.
    top : tuple of VBox
        Cards above all others.

    Attributes
    ----------
    widget : Box
    """

    def __init__(
        self,
        views: tuple[RunView, ...],
        shown: Mapping[type[Experiment], tuple[str, ...]],
        first: VBox,
        last: tuple[VBox, ...] = (),
        prefix: str = "ex-train",
        top: tuple[VBox, ...] = (),
    ) -> None:
        self._specs = {view.name: view for view in views}
        self._of_plan, self._first, self._last, self._top = shown, first, last, top
        self._views = {view.name: view.make() for view in views}
        self._cards = {
            view.name: card(
                view.title,
                view.hint,
                self._views[view.name].widget,
                f"{prefix}-{view.name}" + (" ex-wide" if view.place == "wide" else ""),
            )
            for view in views
        }
        self._left, self._right = area("column", []), area("column", [])
        self.widget = area("grid", [])
        self._shown: tuple[str, ...] | None = None

    @property
    def shown(self) -> tuple[str, ...]:
        """Names of the cards that are displayed."""
        return self._shown or ()

    def draw(self, run: Run) -> None:
        """Draw what there is of a run, then display it."""
        found = []
        for name in self._of_plan[type(run.plan)]:
            if self._draw(name, run):
                found.append(name)
        if tuple(found) != self._shown:
            self._shown = tuple(found)
            self._arrange()

    def redraw(self, name: str, run: Run) -> None:
        """Draw one view alone, where it is displayed."""
        if name in self.shown:
            self._draw(name, run)

    def close(self) -> None:
        """Release the widgets."""
        for name, view in self._views.items():
            view.close()
            close_all(self._cards[name])
        for box in (self._left, self._right, self.widget):
            box.children = ()
            close_all(box)

    def _draw(self, name: str, run: Run) -> bool:
        record = self._specs[name].record(run)
        if record is None:
            return False
        self._views[name].draw(*(record if isinstance(record, tuple) else (record,)))
        return True

    def _arrange(self) -> None:
        places: dict[str, list[VBox]] = {
            "left": [self._first],
            "right": [],
            "below": [],
            "wide": [],
        }
        for name, spec in self._specs.items():
            if name in self.shown:
                places[spec.place].append(self._cards[name])
        left, right, below = places["left"], places["right"], places["below"]
        if len(below) % 2:
            (left if len(left) < len(right) else right).append(below.pop(0))
        self._left.children, self._right.children = tuple(left), tuple(right)
        columns = (self._left, self._right)
        self.widget.children = (*self._top, *columns, *below, *places["wide"], *self._last)
