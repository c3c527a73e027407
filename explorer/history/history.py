"""Undo tree: states by what changed between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, fields, replace

from explorer.compress.networks.recipe import Recipe, Steps
from explorer.history.figures import KeptFigures
from explorer.history.state import State

START = "Start"
ALL = "*"


@dataclass(frozen=True)
class Change:
    """One change of the work.

    `words`: such as ``"Prune 90%"``. `dial`: what was turned, equal for two turns of one dial; None
    for anything but a dial.
    """

    words: str
    dial: Hashable = None


def change_between(old: State, new: State) -> Change:
    """Return what changed between the work of two states.

    Examples
    --------
    >>> from explorer.compress.methods.prune import Prune
    >>> half, most = ([Prune(sparsity=part)] for part in (0.5, 0.9))
    >>> change_between(State(recipe=Recipe.of(half)), State(recipe=Recipe.of(most))).words
    'Prune 90%'
    """
    if old.network != new.network:
        random = ", random weights" if new.weights == "random" else ""
        return Change(f"Network {new.model or 'without a name'}{random}")
    return _recipe_change(old.recipe, new.recipe)


def steps_words(steps: Steps) -> str:
    """Return steps in a few words, such as ``"Prune 90%, Share 32 values"``."""
    return ", ".join(step.describe() for step in steps) or "no steps"


def recipe_words(recipe: Recipe) -> str:
    """Return a recipe in a few words, the steps for all layers first."""
    entries = sorted(recipe.entries, key=lambda entry: entry[0] != ALL)
    parts = [f"{_place(pattern)}{steps_words(steps)}" for pattern, steps in entries]
    return "; ".join(parts) or "no steps"


def _place(pattern: str) -> str:
    return "" if pattern == ALL else f"{pattern}: "


def _recipe_change(old: Recipe, new: Recipe) -> Change:
    before, after = dict(old.entries), dict(new.entries)
    changed = [
        (pattern, before.get(pattern, old.steps_for(pattern)), steps)
        for pattern, steps in new.entries
        if before.get(pattern) != steps
    ]
    gone = [pattern for pattern in before if pattern not in after]
    if len(changed) == 1 and not gone:
        return _steps_change(*changed[0])
    if len(gone) == 1 and not changed:
        return Change(f"{_place(gone[0])}no steps of its own")
    return Change(recipe_words(new))


def _steps_change(pattern: str, old: Steps, new: Steps) -> Change:
    place = _place(pattern)
    if [type(step) for step in old] == [type(step) for step in new]:
        turned = [i for i, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1]]
        if len(turned) == 1:
            step = new[turned[0]]
            names = [f.name for f in fields(step)]
            moved = {n for n in names if getattr(step, n) != getattr(old[turned[0]], n)}
            return Change(place + step.describe(), (pattern, turned[0], frozenset(moved)))
    for i, step in enumerate(new):
        if new[:i] + new[i + 1 :] == old:
            return Change(f"{place}{step.describe()} added")
    for i, step in enumerate(old):
        if old[:i] + old[i + 1 :] == new:
            return Change(f"{place}{step.describe()} removed")
    return Change(place + steps_words(new))


@dataclass(frozen=True)
class Entry:
    """One state, and how it came to be.

    `number`: counts up. `parent`: number of the entry that it was made from; None for the first.
    `words`: what changed from the parent. `dial`: the dial that was turned, if one was. `figures`:
    what was measured of it.
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

    `depth`: how many times the way to it leaves the line that is followed now.
    """

    entry: Entry
    depth: int


class HistoryTree:
    """Entries, one of which is the present one.

    `limit`: most entries; beyond it the oldest ends of branches go, then the oldest entries.
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


LIMIT = 500
MERGE_S = 1.0


class History:
    """States that were visited, as a tree.

    Turning one dial on within a second, or while the mouse is down, changes the present entry;
    any other change of the work makes a new one. Looking at another layer or tab makes none.

    `limit`: most entries; beyond it the oldest ends of branches go, then the oldest entries.
    `clock`: returns seconds.
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

        `words`: how it came to be; by default what changed, in words. Returns: the present entry.
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

        Raises KeyError if there is no such entry, or no longer.
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
