"""Undo, redo and the page's address, which follow the state."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from ipywidgets import HBox

from explorer.errors import error_message
from explorer.history.figures import KeptFigures
from explorer.history.history import Entry, History
from explorer.history.state import State
from explorer.page.bookmarks import BookmarksPanel
from explorer.page.open import KeptNetworks, Network, Opened, has_name
from explorer.page.words import figures_words
from explorer.session import Session
from explorer.session.latest_wins import LatestWins
from explorer.stopping import Stop
from explorer.views.browser import AddressView
from explorer.views.history import HistoryTreeView, UndoView
from explorer.widgets import View
from explorer.zoo.architectures import BUNDLED


class HistoryPanel(View):
    """The buttons, which may stand elsewhere too, and the tree in a card."""

    def __init__(self, history: History, go: Callable[[Entry], None]) -> None:
        self._history, self._go = history, go
        self._undo = UndoView(
            lambda: self._move(history.before),
            lambda: self._move(history.after),
            lambda down: setattr(history, "held", down),
        )
        self._tree = HistoryTreeView(lambda number: self._move(history[number]))
        self.buttons = self._undo
        super().__init__([self.buttons, self._tree], "ex-body")

    def draw(self) -> None:
        """Show the history as it is now."""
        self.draw_buttons()
        here = self._history.present
        self._tree.draw(
            [
                (
                    line.entry.number,
                    line.depth,
                    line.entry.words,
                    figures_words(line.entry.figures),
                    line.entry is here,
                )
                for line in self._history.lines()
            ]
        )

    def draw_buttons(self) -> None:
        """Show what would be undone and redone."""
        here, after = self._history.present, self._history.after
        undone = here.words if here is not None and self._history.before is not None else ""
        self._undo.draw(undone, after.words if after is not None else "")

    def _move(self, entry: Entry | None) -> None:
        if entry is not None:
            self._go(entry)


DRAWN_S = 0.5
NOT_NAMED = "It holds the recipe, not the network, which no name brings back"


@dataclass(frozen=True)
class Page:
    """What the keeper asks of the page.

    `state`: returns the `State` that is shown. `figures`: returns its `KeptFigures`; None where
    they are not known yet. `session`: returns the session that is shown. `tabs`: returns the titles
    of the tabs. `show`: called with a `State` that fits, and with what to show it on: an `Opened`,
    or None for the session that is shown. `lock`: held while the page changes; may be taken again
    by the thread that holds it. `work`, `fail`: say what is under way, and what went wrong, in
    words.
    """

    state: Callable[[], State]
    figures: Callable[[], KeptFigures | None]
    session: Callable[[], Session]
    tabs: Callable[[], tuple[str, ...]]
    show: Callable[[State, Opened | None], None]
    lock: AbstractContextManager
    work: Callable[[str], None]
    fail: Callable[[str], None]


class StateKeeper:
    """Undo, redo, kept states, and a link that holds the state.

    `tools`: undo, redo and the link, for the head of the page. `history`, `bookmarks`: Cards.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._past = History()
        self.networks = KeptNetworks()
        self.history = HistoryPanel(self._past, self._go_to)
        self._address = AddressView(self.open_link, self._stored, self._unkept)
        self.bookmarks = BookmarksPanel(
            lambda state: self._start(state.seen_as(page.state())),
            lambda: (page.state(), page.figures()),
            self._address.keep,
        )
        self.tools = HBox([self.history.buttons, self._address.widget])
        self.tools.add_class("ex-tools")
        self._drawer = LatestWins("explorer-states", patience_s=DRAWN_S)
        self._opener = LatestWins("explorer-opening")
        self._link = ""
        self._is_open = True

    def listen(self) -> None:
        """Take up what the browser tells: its address, and what it keeps."""
        self._address.listen()

    def keep(self, opened: Opened, again: Callable[[], Session]) -> None:
        """Let history come back to a network that has no name, by what makes its session again."""
        n_bytes = opened.session.result.original_bytes
        self.networks.keep(
            opened.network, n_bytes, lambda: replace(opened, session=again(), recipe=None)
        )

    def visited(self) -> None:
        """Take note of the state that is shown now; drawn when the hand rests."""
        self._past.visit(self._page.state())
        self._later()

    def measured(self) -> None:
        """Take note of the figures that are shown now."""
        state, figures = self._page.state(), self._page.figures()
        if figures is not None:
            self._past.measured(state, figures)
            self.bookmarks.measured(state, figures)
            self._later()

    def open(self, state: State) -> None:
        """Show a state, all of it or nothing.

        Raises ValueError if there is no such network, layer or tab, or the recipe does not fit.
        """
        self._open(state, self._opened(state), lambda: None)

    def open_link(self, text: str) -> None:
        """Show the state of a link, once; say in words what goes wrong."""
        if text == self._link:
            return
        self._link = text
        try:
            state = State.from_link(text)
        except ValueError as error:
            self._page.fail(f"The link in the address could not be opened. {error}")
        else:
            self._start(state)

    def close(self) -> None:
        """Stop the background work, and release the widgets."""
        self._is_open = False
        self._drawer.close()
        self._opener.close()
        for part in (self.history, self.bookmarks, self._address, self.tools):
            part.close()

    def _go_to(self, entry: Entry) -> None:
        state = entry.state.seen_as(self._page.state())
        self._start(state, lambda: self._past.go(entry.number))

    def _start(self, state: State, before: Callable[[], object] = lambda: None) -> None:
        """Show a state, or say why not; a network that takes long is opened in the background."""
        if not self._is_elsewhere(state) or self._is_quick(state.network):
            self._guarded(lambda: self._open(state, self._opened(state), before))
            return
        self._page.work(f"Loading {state.model or 'the network'}\N{HORIZONTAL ELLIPSIS}")

        def work(stale: Stop) -> None:
            def act() -> None:
                opened = self._opened(state)
                if stale() and opened is not None:
                    opened.session.close()
                else:
                    self._open(state, opened, before)

            self._guarded(act)

        self._opener.submit(work)

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:
            self._page.fail(f"{error_message(error)} ({type(error).__name__})")

    def _is_elsewhere(self, state: State) -> bool:
        """Whether a state is of another network; without a name it is of the one that is shown."""
        if state.network == self._page.state().network:
            return False
        return bool(state.model) or state.network in self.networks

    def _is_quick(self, network: Network) -> bool:
        return network in self.networks or network[0] in BUNDLED

    def _opened(self, state: State) -> Opened | None:
        return self.networks.open(state.network) if self._is_elsewhere(state) else None

    def _open(self, state: State, opened: Opened | None, before: Callable[[], object]) -> None:
        session = self._page.session() if opened is None else opened.session
        try:
            _check_fits(state, session, self._page.tabs())
        except ValueError:
            if opened is not None:
                session.close()
            raise
        with self._page.lock:
            before()
            self._page.show(state, opened)

    def _stored(self, text: str, first: bool) -> None:
        if not self.bookmarks.stored(text, first):
            self._address.spare()

    def _unkept(self, words: str) -> None:
        self.bookmarks.fail(words)

    def _later(self) -> None:
        if self._is_open:
            self._drawer.submit(lambda _stale: self._guarded(self._draw))

    def _draw(self) -> None:
        with self._page.lock:
            if self._is_open:
                self._draw_link(self._page.state())
                self.history.draw()
                self.bookmarks.draw()

    def _draw_link(self, state: State) -> None:
        named = has_name(state.network)
        shared = state if named else replace(state, model="", weights="default")
        try:
            self._address.draw(shared.to_link(), note="" if named else NOT_NAMED)
        except ValueError as error:
            self._address.draw("", problem=str(error))


def _check_fits(state: State, session: Session, tabs: tuple[str, ...]) -> None:
    """Raise ValueError where a state names what there is not."""
    state.recipe.check_layers(session.layers)
    if state.layer and state.layer not in session.layers:
        raise ValueError(
            f"layer: expected one of {', '.join(session.layers)}; got {state.layer!r:.80}"
        )
    if state.tab and state.tab not in tabs:
        raise ValueError(f"tab: expected one of {', '.join(tabs)}; got {state.tab!r:.80}")
