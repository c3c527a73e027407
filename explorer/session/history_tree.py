"""The tree that a history is: entries, each made from another, and the way that is followed."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

from explorer.session.changes import Change
from explorer.session.kept_figures import KeptFigures
from explorer.session.state import State


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


class HistoryTree:
    """Entries, one of which is the present one.

    Parameters
    ----------
    limit : int
        Most entries; beyond it the oldest ends of branches go, then the oldest entries.
    """

    def __init__(self, limit: int) -> None:
        self._limit = max(1, limit)
        self._entries: dict[int, Entry] = {}
        self._children: dict[int, list[int]] = {}
        self._followed: dict[int, int] = {}
        self._here: int | None = None
        self._next = 0

    def __getitem__(self, number: int) -> Entry:
        if number not in self._entries:
            raise KeyError(f"number: {number} is no entry of the history, or no longer one")
        return self._entries[number]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, the oldest first."""
        return tuple(self._entries.values())

    @property
    def present(self) -> Entry | None:
        """The entry of the present state; None before the first."""
        return None if self._here is None else self._entries[self._here]

    def parent(self, entry: Entry) -> Entry | None:
        """Return the entry that one was made from; None for the first."""
        return None if entry.parent is None else self._entries[entry.parent]

    def children(self, entry: Entry) -> list[Entry]:
        """Return the entries that were made from one."""
        return [self._entries[number] for number in self._children[entry.number]]

    def way_on(self, entry: Entry) -> Entry | None:
        """Return the child that was last followed; None at an end."""
        children = self._children[entry.number]
        if not children:
            return None
        return self._entries[self._followed.get(entry.number, children[-1])]

    def go(self, number: int) -> Entry:
        """Make an entry the present one; raises KeyError where there is none."""
        entry = self[number]
        self._here = number
        for each in self._way_to(entry):
            if each.parent is not None:
                self._followed[each.parent] = each.number
        return entry

    def add(self, state: State, change: Change) -> Entry:
        """Make an entry from the present one, and go there."""
        entry = Entry(self._next, self._here, state, change.words, change.dial)
        self._next += 1
        self._entries[entry.number] = entry
        self._children[entry.number] = []
        if self._here is not None:
            self._children[self._here].append(entry.number)
            self._followed[self._here] = entry.number
        self._here = entry.number
        while len(self._entries) > self._limit:
            self._prune()
        return entry

    def put(self, entry: Entry) -> Entry:
        """Put an entry in the place of that with its number."""
        self._entries[entry.number] = entry
        return entry

    def take_back(self) -> None:
        """Take the present entry out, which has no children, and go where it was made from."""
        here = self.present
        if here is not None and here.parent is not None:
            self._drop(here)
            self._here = here.parent

    def lines(self) -> tuple[Line, ...]:
        """Return the tree from top to bottom; other branches stand indented before the way on."""
        if self.present is None:
            return ()
        found: list[Line] = []
        waiting = [Line(self._way_to(self.present)[-1], 0)]
        while waiting:
            line = waiting.pop()
            found.append(line)
            children, on = self.children(line.entry), self.way_on(line.entry)
            others = [entry for entry in children if entry is not on]
            waiting += [Line(entry, line.depth) for entry in children if entry is on]
            waiting += [Line(entry, line.depth + 1) for entry in reversed(others)]
        return tuple(found)

    def _way_to(self, entry: Entry) -> list[Entry]:
        """Return an entry, the one before it, and so on to the first."""
        way = [entry]
        while way[-1].parent is not None:
            way.append(self._entries[way[-1].parent])
        return way

    def _prune(self) -> None:
        ends = [n for n, children in self._children.items() if not children and n != self._here]
        if ends:
            self._drop(self._entries[min(ends)])
            return
        first = min(self._entries)
        (second,) = self._children.pop(first)
        self._followed.pop(first, None)
        del self._entries[first]
        self.put(replace(self._entries[second], parent=None))

    def _drop(self, entry: Entry) -> None:
        """Take an entry without children out."""
        del self._entries[entry.number], self._children[entry.number]
        if entry.parent is not None:
            self._children[entry.parent].remove(entry.number)
            if self._followed.get(entry.parent) == entry.number:
                del self._followed[entry.parent]
