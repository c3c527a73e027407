"""What changed from one state to the next, in words, and by which dial."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, fields

from explorer.compress.networks.recipe import Recipe, Steps
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
