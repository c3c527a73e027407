"""States that a person keeps, each under a name and with its figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from explorer.session.changes import recipe_words
from explorer.session.kept_figures import KeptFigures
from explorer.session.state import State
from explorer.session.strict_json import check_text

LONGEST = 60
MOST = 100


@dataclass(frozen=True)
class Bookmark:
    """A state under a name.

    Attributes
    ----------
    name : str
        1 to 60 printable characters.
    state : State
    figures : KeptFigures or None
        What was measured of it when it was kept.

    Raises
    ------
    ValueError
        If the name is empty, too long, or has unprintable characters.
    """

    name: str
    state: State
    figures: KeptFigures | None = None

    def __post_init__(self) -> None:
        if not check_text(self.name, "name", LONGEST).strip():
            raise ValueError("name: a kept state needs a name; got an empty one")


class Bookmarks:
    """Kept states, the oldest first; every name is there once.

    Parameters
    ----------
    items : iterable of Bookmark
        The first ones.

    Raises
    ------
    ValueError
        If a name occurs twice, or there are more than 100.
    """

    def __init__(self, items: Iterable[Bookmark] = ()) -> None:
        self._items: dict[str, Bookmark] = {}
        for item in items:
            self._add(item)

    def __iter__(self) -> Iterator[Bookmark]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def __getitem__(self, name: str) -> Bookmark:
        if name not in self._items:
            raise ValueError(f"name: nothing is kept under {name!r:.80}")
        return self._items[name]

    def keep(self, state: State, figures: KeptFigures | None = None, name: str = "") -> Bookmark:
        """Keep a state.

        Parameters
        ----------
        state : State
        figures : KeptFigures, optional
        name : str
            By default what `suggest` gives.

        Raises
        ------
        ValueError
            If the name is taken or unfit, there are 100 already, or what is kept could not
            be read back.
        """
        State.from_dict(state.as_dict())
        if figures is not None:
            KeptFigures.from_dict(figures.as_dict(), "figures")
        return self._add(Bookmark(name.strip() or self.suggest(state), state, figures))

    def suggest(self, state: State) -> str:
        """Return a free name that describes the steps of a state."""
        return self._free(recipe_words(state.recipe))

    def rename(self, old: str, new: str) -> None:
        """Give a kept state another name; it keeps its place.

        Raises
        ------
        ValueError
            If there is no such state, or the new name is taken or unfit.
        """
        renamed = replace(self[old], name=new.strip())
        if renamed.name != old:
            self._check_free(renamed.name)
        self._items = {
            renamed.name if name == old else name: renamed if name == old else item
            for name, item in self._items.items()
        }

    def remove(self, name: str) -> None:
        """Keep a state no longer.

        Raises
        ------
        ValueError
            If there is no such state.
        """
        del self._items[self[name].name]

    def measured(self, state: State, figures: KeptFigures) -> bool:
        """Take better figures for kept states of the same work; return whether there were any."""
        found = [
            item
            for item in self
            if item.state.same_work(state) and (item.figures is None or item.figures.n < figures.n)
        ]
        for item in found:
            self._items[item.name] = replace(item, figures=figures)
        return bool(found)

    def join(self, others: Iterable[Bookmark]) -> int:
        """Add states that are not kept yet, under a free name each; return how many there were.

        Raises
        ------
        ValueError
            If that would be more than 100; then none is added.
        """
        joined = Bookmarks(self)
        for other in others:
            mine = self._items.get(other.name)
            if mine is None or not mine.state.same_work(other.state):
                joined._add(replace(other, name=joined._free(other.name)))
        n_added = len(joined) - len(self)
        self._items = joined._items
        return n_added

    def _add(self, item: Bookmark) -> Bookmark:
        self._check_free(item.name)
        if len(self) >= MOST:
            raise ValueError(f"{MOST} states are kept, as many as can be; remove one first")
        self._items[item.name] = item
        return item

    def _check_free(self, name: str) -> None:
        if name in self._items:
            raise ValueError(f"name: {name!r} is taken; choose another one")

    def _free(self, name: str) -> str:
        """Return a name like this one that is not taken."""
        wanted, number = shortened(name, LONGEST), 1
        while wanted in self._items:
            number += 1
            end = f" ({number})"
            wanted = shortened(name, LONGEST - len(end)) + end
        return wanted


def shortened(text: str, longest: int) -> str:
    """Return a text, cut with an ellipsis where it is too long."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"
