"""Card and Tab: what stands on a tab of the page, as data, and the tab that draws it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from ipywidgets import Widget

from explorer.compress.methods.setting import Setting
from explorer.errors import error_message
from explorer.experiments.experiment import Experiment
from explorer.measure.published.results import Story
from explorer.measure.result import Result
from explorer.session import Session
from explorer.session.layer_view import CloseUp
from explorer.stopping import never
from explorer.views.parts import area, heading
from explorer.widgets import View, mark, nowhere

WAITING = "ex-waiting"


@dataclass(frozen=True)
class Scene:
    """What there is to see of a recipe.

    Attributes
    ----------
    session : Session
    result : Result
    close_up : CloseUp
        Of the chosen layer.
    stale : callable
        Whether what is shown has changed since.
    loading : str
        Python that loads the network and its data.
    story : Story or None
        How the network came to be, where that is known.
    """

    session: Session
    result: Result
    close_up: CloseUp
    stale: Callable[[], bool] = never
    loading: str = ""
    story: Story | None = None

    @property
    def layer(self) -> str:
        """Name of the chosen layer."""
        return self.close_up.layer

    @property
    def old_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes that layers had before they lost neurons; empty where none did."""
        reduced = [row.name for row in self.result.layers if prod(row.shape) < row.n_weights]
        return {name: self.session.original_shape(name) for name in reduced}


def always(_seen: Any) -> bool:
    """Show a card whatever there is to see."""
    return True


@dataclass(frozen=True)
class Card:
    """One card of a tab.

    Attributes
    ----------
    title, hint : str
        Its heading and the remark beside it.
    css : str
        CSS classes of its own.
    view : callable
        Makes its view when it is first drawn: the class of a view, as a rule.
    record : callable or None
        Takes what there is to see (a `Scene`, on a tab of a recipe) to what the view draws: a
        tuple holds the arguments of its ``draw``; None hides the card. Without it the view
        draws itself.
    slow : bool
        Whether the record takes long: it is then made in the background.
    shown : callable
        Takes what there is to see to whether the card is shown at all.
    """

    title: str
    hint: str
    css: str
    view: Callable[[], Any]
    record: Callable[[Any], Any] | None
    slow: bool = False
    shown: Callable[[Any], bool] = always


@dataclass(frozen=True)
class Topic:
    """What a tab of the page is about, and its cards.

    Attributes
    ----------
    title : str
    about : str
        What it does, in words that follow its title, and "No step that".
    starts : tuple of Setting
        The steps that it is about, as they are added; none for a tab on all of them.
    left, right : tuple of Card
        The cards of the two columns, top to bottom; on a narrow page the right ones follow.
    wide, top : tuple of Card
        Cards of full width: below the others, and above them.
    below : tuple of Card
        Cards below the columns, two in a row; one that is left over joins the shorter column.
    """

    title: str
    about: str
    starts: tuple[Setting, ...]
    left: tuple[Card, ...] = ()
    right: tuple[Card, ...] = ()
    wide: tuple[Card, ...] = ()
    top: tuple[Card, ...] = ()
    below: tuple[Card, ...] = ()

    @property
    def help(self) -> str:
        """What it does, in a sentence."""
        return f"{self.title} {self.about}."

    @property
    def kinds(self) -> tuple[type[Setting], ...]:
        """Classes of its steps."""
        return tuple(type(start) for start in self.starts)

    @property
    def cards(self) -> tuple[Card, ...]:
        """All of its cards."""
        return (*self.top, *self.left, *self.right, *self.below, *self.wide)


class CardBox(View):
    """A card on the page: its heading and, once there is something to see, its view."""

    def __init__(self, card: Card, css: str, on_select: Callable[[str], None]) -> None:
        self.card = card
        super().__init__([heading(card.title, card.hint)], f"ex-card {card.css} {css}")
        self.on_select = on_select

    @cached_property
    def view(self) -> Any:
        """What draws its records."""
        view = self.card.view()
        view.on_select = self.on_select
        return view

    def draw(self, seen: Any, stale: Callable[[], bool] = never) -> None:
        """Draw what there is to see, unless it turns stale; hide where there is nothing."""
        record = self._record(seen)
        if stale():
            return
        mark(self, WAITING, False)
        self.shown = record is not None
        if record is None:
            return
        if self.card.record is not None:
            self.view.draw(*record) if isinstance(record, tuple) else self.view.draw(record)
        if self.view not in self.children:
            self.children = (*self.children, self.view)

    def _record(self, seen: Any) -> Any:
        """Return what its view draws, None for nothing."""
        if not self.card.shown(seen):
            return None
        return () if self.card.record is None else self.card.record(seen)


class Tab(View):
    """The cards of a topic in columns, made when they are first drawn.

    What the page tells its tabs calls `draw`, `draw_slowly`, `hide`, `moved`, `completed` and
    `forget`; a tab does what it needs at each of them.
    """

    def __init__(self, topic: Topic, on_select: Callable[[str], None] = nowhere) -> None:
        self.topic = topic
        self.is_open = False
        self._lock = threading.RLock()
        self._boxes: dict[Card, CardBox] = {}
        self._visible: tuple[Card, ...] | None = None
        super().__init__((), "ex-topic")
        self.on_select = on_select

    @cached_property
    def _columns(self) -> tuple[Any, Any]:
        return area("column", []), area("column", [])

    @cached_property
    def _grid(self) -> Any:
        return area("grid", [])

    @property
    def boxes(self) -> tuple[CardBox, ...]:
        """The cards that have been made, in the order of the topic."""
        return tuple(self._boxes[card] for card in self.topic.cards if card in self._boxes)

    @property
    def visible(self) -> tuple[str, ...]:
        """Titles of the cards that are not hidden."""
        return tuple(box.card.title for box in self.boxes if box.shown)

    @property
    def experiment(self) -> Experiment | None:
        """The experiment whose dials it shows."""
        return None

    def __getitem__(self, title: str) -> CardBox:
        """Return the card of a title, once it is made."""
        return next(box for box in self.boxes if box.card.title == title)

    def draw(self, scene: Scene, steps: tuple[Setting, ...]) -> None:
        """Draw what there is to see of a layer with some steps; it comes into view.

        Raises
        ------
        RuntimeError
            If a card could not be drawn; the others are.
        """
        self.is_open = True
        self.draw_cards(scene)

    def draw_slowly(self, scene: Scene) -> None:
        """Draw what takes long, unless the scene turns stale; raises as `draw`."""
        self._draw([box.card for box in self.boxes if box.card.slow], scene, scene.stale)

    def hide(self) -> None:
        """Take note that another tab has come into view."""
        self.is_open = False

    def moved(self) -> None:
        """Take note that the recipe is about to change."""

    def completed(self, session: Session, result: Result) -> None:
        """Take note that a recipe's figures are complete."""

    def forget(self) -> None:
        """Drop what belongs to the network that was shown."""

    def draw_cards(self, seen: Any) -> None:
        """Draw the cards that are quick, let the slow ones wait; raises as `draw`."""
        quick = []
        for card in self.topic.cards:
            if card.slow:
                mark(self._box(card), WAITING)
            else:
                quick.append(card)
        self._draw(quick, seen)

    def redraw(self, title: str, seen: Any) -> None:
        """Draw a card anew where it is shown."""
        self._draw([box.card for box in self.boxes if box.card.title == title and box.shown], seen)

    def _draw(self, cards: Iterable[Card], seen: Any, stale: Callable[[], bool] = never) -> None:
        """Draw cards, then raise for the first that failed."""
        failures = []
        for card in cards:
            if stale():
                break
            try:
                self._box(card).draw(seen, stale)
            except Exception as error:
                failures.append((card, error))
        self._arrange()
        for card, failure in failures:
            words = f"{error_message(failure)} ({type(failure).__name__})"
            raise RuntimeError(f"the card {card.title!r} could not be drawn: {words}") from failure

    def _box(self, card: Card) -> CardBox:
        if card not in self._boxes:
            wide = card in self.topic.top or card in self.topic.wide
            self._boxes[card] = CardBox(card, "ex-wide" if wide else "", self.on_select)
        return self._boxes[card]

    def _arrange(self) -> None:
        """Lay the cards out in their columns, where others than before are shown."""
        visible = tuple(card for card, box in self._boxes.items() if box.shown)
        if visible == self._visible:
            return
        self._visible, topic = visible, self.topic
        left, right, below = (self._placed(part) for part in (topic.left, topic.right, topic.below))
        if len(below) % 2:
            over = below.pop(0)
            (left if _n_shown(left) < _n_shown(right) else right).append(over)
        for column, boxes in zip(self._columns, (left, right), strict=True):
            _put(column, boxes)
        top, wide = self._made(topic.top), self._made(topic.wide)
        _put(self._grid, [*top, *self._columns, *below, *wide])
        _put(self, self._all())

    def _all(self) -> list[Widget]:
        """All that stands on the tab, top to bottom."""
        return [self._grid]

    def _made(self, cards: Sequence[Card]) -> list[CardBox]:
        return [self._boxes[card] for card in cards if card in self._boxes]

    def _placed(self, cards: Sequence[Card]) -> list[CardBox]:
        """Return cards that keep their place, or, where some move, those that are shown.

        What moves is made anew in the browser, and a figure that is made hidden has no size.
        """
        return [box for box in self._made(cards) if box.shown or not self.topic.below]


def _n_shown(boxes: Sequence[CardBox]) -> int:
    return sum(box.shown for box in boxes)


def _put(box: Any, children: Sequence[Widget]) -> None:
    """Let a box display these, unless it does: what it displays already stays as it is."""
    if tuple(box.children) != tuple(children):
        box.children = tuple(children)
