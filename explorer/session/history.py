"""Undo and redo: a tree of states, in which going back and on differently loses nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from explorer.session.changes import START, Change, change_between
from explorer.session.kept_figures import KeptFigures
from explorer.session.state import State

LIMIT = 500
MERGE_S = 1.0


@dataclass(frozen=True)
class Entry:
    """One state, and how it came to be.

    Attributes
    ----------
    number : int
        Counts up.
    parent : int or None
        Number of the entry that it was made from; None for the first.
    state : State
    words : str
        What changed from the parent.
    dial : hashable or None
        The dial that was turned, if one was.
    figures : KeptFigures or None
        What was measured of it.
    """

    number: int
    parent: int | None
    state: State
    words: str
    dial: Hashable = None
    figures: KeptFigures | None = None


@dataclass(frozen=True)
class Line:
    """An entry as a line of the tree.

    Attributes
    ----------
    entry : Entry
    depth : int
        How many times the way to it leaves the line that is followed now.
    """

    entry: Entry
    depth: int


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
        self._held = False
        self._limit = max(1, limit)
        self._clock = clock
        self._entries: dict[int, Entry] = {}
        self._children: dict[int, list[int]] = {}
        self._followed: dict[int, int] = {}
        self._here: int | None = None
        self._next = 0
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
        return tuple(self._entries.values())

    @property
    def present(self) -> Entry | None:
        """The entry of the present state; None before the first visit."""
        return None if self._here is None else self._entries[self._here]

    @property
    def before(self) -> Entry | None:
        """Where `undo` leads; None at the first entry."""
        parent = self.present.parent if self.present else None
        return None if parent is None else self._entries[parent]

    @property
    def after(self) -> Entry | None:
        """Where `redo` leads: the way that was last gone from here; None at an end."""
        on = None if self._here is None else self._way_on(self._here)
        return None if on is None else self._entries[on]

    def __getitem__(self, number: int) -> Entry:
        if number not in self._entries:
            raise KeyError(f"number: {number} is no entry of the history, or no longer one")
        return self._entries[number]

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
            return self._add(None, state, Change(words or START), now)
        if here.state.same_work(state):
            return self._put(replace(here, state=state))
        change = change_between(here.state, state)
        if self._goes_on(here, change, now):
            return self._turn_on(here, state, now)
        for number in self._children[here.number]:
            if self._entries[number].state.same_work(state):
                self.go(number)
                return self._put(replace(self._entries[number], state=state))
        return self._add(here.number, state, replace(change, words=words or change.words), now)

    def measured(self, state: State, figures: KeptFigures) -> None:
        """Keep the figures of the present entry, if it is of this state's work."""
        here = self.present
        if here is not None and here.state.same_work(state):
            self._put(replace(here, figures=figures))

    def undo(self) -> Entry | None:
        """Go back to the state before the last change; None where there is none."""
        return self.go(self.before.number) if self.before else None

    def redo(self) -> Entry | None:
        """Go on to the state that was last undone; None where there is none."""
        return self.go(self.after.number) if self.after else None

    def go(self, number: int) -> Entry:
        """Make an entry the present one.

        Raises
        ------
        KeyError
            If there is no such entry, or no longer.
        """
        entry = self[number]
        self._here = number
        self._open = False
        for each in self._way_to(entry):
            if each.parent is not None:
                self._followed[each.parent] = each.number
        return entry

    def lines(self) -> tuple[Line, ...]:
        """Return the tree from top to bottom; other branches stand indented before the way on."""
        if self.present is None:
            return ()
        found: list[Line] = []
        waiting = [Line(self._way_to(self.present)[-1], 0)]
        while waiting:
            line = waiting.pop()
            found.append(line)
            children = self._children[line.entry.number]
            on = self._way_on(line.entry.number)
            others = [n for n in children if n != on]
            waiting += [Line(self._entries[n], line.depth) for n in children if n == on]
            waiting += [Line(self._entries[n], line.depth + 1) for n in reversed(others)]
        return tuple(found)

    def _way_on(self, number: int) -> int | None:
        """Return the child that was last followed; None at an end."""
        children = self._children[number]
        return self._followed.get(number, children[-1]) if children else None

    def _way_to(self, entry: Entry) -> list[Entry]:
        """Return an entry, the one before it, and so on to the first."""
        way = [entry]
        while way[-1].parent is not None:
            way.append(self._entries[way[-1].parent])
        return way

    def _goes_on(self, here: Entry, change: Change, now: float) -> bool:
        soon = self._held or now - self._last <= MERGE_S
        return self._open and soon and change.dial is not None and change.dial == here.dial

    def _turn_on(self, here: Entry, state: State, now: float) -> Entry:
        """Turn the dial of the present entry on; back where it was, there is no entry left."""
        parent = self._entries[here.parent] if here.parent is not None else None
        if parent is None:
            return self._put(replace(here, state=state))
        if parent.state.same_work(state):
            self._drop(here)
            self._here, self._open = parent.number, False
            return self._put(replace(parent, state=state))
        self._last = now
        words = change_between(parent.state, state).words
        return self._put(replace(here, state=state, words=words, figures=None))

    def _put(self, entry: Entry) -> Entry:
        self._entries[entry.number] = entry
        return entry

    def _add(self, parent: int | None, state: State, change: Change, now: float) -> Entry:
        entry = Entry(self._next, parent, state, change.words, change.dial)
        self._next += 1
        self._entries[entry.number] = entry
        self._children[entry.number] = []
        if parent is not None:
            self._children[parent].append(entry.number)
            self._followed[parent] = entry.number
        self._here, self._open, self._last = entry.number, True, now
        while len(self._entries) > self._limit:
            self._prune()
        return entry

    def _prune(self) -> None:
        ends = [n for n, children in self._children.items() if not children and n != self._here]
        if ends:
            self._drop(self._entries[min(ends)])
            return
        first = min(self._entries)
        (second,) = self._children.pop(first)
        self._followed.pop(first, None)
        del self._entries[first]
        self._put(replace(self._entries[second], parent=None))

    def _drop(self, entry: Entry) -> None:
        """Take an entry without children out."""
        del self._entries[entry.number], self._children[entry.number]
        if entry.parent is not None:
            self._children[entry.parent].remove(entry.number)
            if self._followed.get(entry.parent) == entry.number:
                del self._followed[entry.parent]
