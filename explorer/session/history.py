"""Undo and redo: a tree of states, in which going back and on differently loses nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from explorer.session.changes import START, Change, change_between
from explorer.session.history_tree import Entry, HistoryTree, Line
from explorer.session.kept_figures import KeptFigures
from explorer.session.state import State

LIMIT = 500
MERGE_S = 1.0


class History:
    """States that were visited, as a tree.

    Turning one dial on within a second, or while the mouse is down, changes the present entry;
    any other change of the work makes a new one. Looking at another layer or tab makes none.

    Parameters
    ----------
    limit : int
        Most entries; beyond it the oldest ends of branches go, then the oldest entries.
    clock : callable
        Returns seconds.
    """

    def __init__(self, limit: int = LIMIT, clock: Callable[[], float] = time.monotonic) -> None:
        self._tree = HistoryTree(limit)
        self._clock = clock
        self._held = False
        self._open = False
        self._last = 0.0

    @property
    def held(self) -> bool:
        """Whether the mouse is down on a dial; what is turned from then on is another change."""
        return self._held

    @held.setter
    def held(self, held: bool) -> None:
        self._open = self._open and not held
        self._held = held

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, the oldest first."""
        return self._tree.entries

    @property
    def present(self) -> Entry | None:
        """The entry of the present state; None before the first visit."""
        return self._tree.present

    @property
    def before(self) -> Entry | None:
        """Where undo leads; None at the first entry."""
        return self._tree.parent(self.present) if self.present else None

    @property
    def after(self) -> Entry | None:
        """Where redo leads: the way that was last gone from here; None at an end."""
        return self._tree.way_on(self.present) if self.present else None

    def __getitem__(self, number: int) -> Entry:
        return self._tree[number]

    def visit(self, state: State, words: str = "") -> Entry:
        """Take note of the state that is shown now.

        Parameters
        ----------
        state : State
        words : str
            How it came to be; by default what changed, in words.

        Returns
        -------
        Entry
            The present entry.
        """
        now = self._clock()
        here = self.present
        if here is None:
            return self._add(state, Change(words or START), now)
        if here.state.same_work(state):
            return self._tree.put(replace(here, state=state))
        change = change_between(here.state, state)
        if self._goes_on(here, change, now):
            return self._turn_on(here, state, now)
        for child in self._tree.children(here):
            if child.state.same_work(state):
                self.go(child.number)
                return self._tree.put(replace(child, state=state))
        return self._add(state, replace(change, words=words or change.words), now)

    def measured(self, state: State, figures: KeptFigures) -> None:
        """Keep the figures of the present entry, if it is of this state's work."""
        here = self.present
        if here is not None and here.state.same_work(state):
            self._tree.put(replace(here, figures=figures))

    def go(self, number: int) -> Entry:
        """Make an entry the present one.

        Raises
        ------
        KeyError
            If there is no such entry, or no longer.
        """
        entry = self._tree.go(number)
        self._open = False
        return entry

    def lines(self) -> tuple[Line, ...]:
        """Return the tree from top to bottom; other branches stand indented before the way on."""
        return self._tree.lines()

    def _goes_on(self, here: Entry, change: Change, now: float) -> bool:
        soon = self._held or now - self._last <= MERGE_S
        return self._open and soon and change.dial is not None and change.dial == here.dial

    def _turn_on(self, here: Entry, state: State, now: float) -> Entry:
        """Turn the dial of the present entry on; back where it was, there is no entry left."""
        parent = self._tree.parent(here)
        if parent is None:
            return self._tree.put(replace(here, state=state))
        if parent.state.same_work(state):
            self._tree.take_back()
            self._open = False
            return self._tree.put(replace(parent, state=state))
        self._last = now
        words = change_between(parent.state, state).words
        return self._tree.put(replace(here, state=state, words=words, figures=None))

    def _add(self, state: State, change: Change, now: float) -> Entry:
        self._open, self._last = True, now
        return self._tree.add(state, change)
