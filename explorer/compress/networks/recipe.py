"""Recipes: ordered steps for layers chosen by pattern, with JSON in and out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from explorer.compress.methods.registry import MethodRegistry
from explorer.compress.methods.setting import Setting

VERSION = 1
MAX_JSON = 1_000_000
MAX_STEPS = 32
MAX_PATTERNS = 4096

Steps = tuple[Setting, ...]


@dataclass(frozen=True)
class Recipe:
    """Ordered steps for each pattern of layer names; the first pattern that matches wins.

    Attributes
    ----------
    entries : tuple of (str, tuple of Setting)
        fnmatch patterns over torch's qualified layer names, and their steps.

    Raises
    ------
    ValueError
        If a pattern comes twice, or a step of your own has the name of a built-in one.
    """

    entries: tuple[tuple[str, Steps], ...] = ()

    def __post_init__(self) -> None:
        if twice := _twice([pattern for pattern, _ in self.entries]):
            raise ValueError(
                f"recipe: pattern {twice!r:.60} comes twice; the first match wins, so put all its "
                "steps into one list"
            )
        MethodRegistry(self.kinds)

    @property
    def kinds(self) -> tuple[type[Setting], ...]:
        """The classes of all steps, each once."""
        return tuple(dict.fromkeys(type(step) for _, steps in self.entries for step in steps))

    @classmethod
    def of(cls, recipe: Any) -> Recipe:
        """Make a recipe from a list of steps, a mapping of patterns, or a recipe.

        Parameters
        ----------
        recipe : Recipe, sequence of Setting, mapping of str to sequence of Setting, or None
            A sequence holds for all layers; None is the empty recipe.

        Raises
        ------
        TypeError
            If it is anything else, or holds something that is not a step.
        """
        if recipe is None:
            return cls()
        if isinstance(recipe, Recipe):
            return recipe
        if isinstance(recipe, Setting):
            return cls((("*", (recipe,)),))
        if isinstance(recipe, Mapping):
            return cls(tuple((_pattern(key), _steps(value)) for key, value in recipe.items()))
        if isinstance(recipe, Sequence) and not isinstance(recipe, str):
            steps = _steps(recipe)
            return cls((("*", steps),) if steps else ())
        raise TypeError(
            "recipe must be a list of steps such as [Prune(sparsity=0.9)], or a dict of "
            f"patterns and such lists; got {type(recipe).__name__}"
        )

    def steps_for(self, layer: str) -> Steps:
        """Return the steps for a layer; empty where no pattern matches."""
        return next((steps for pattern, steps in self.entries if fnmatchcase(layer, pattern)), ())

    def prefixes(self) -> Iterator[Recipe]:
        """Yield the recipe with the first step of every pattern alone, the first two, and so on."""
        longest = max((len(steps) for _, steps in self.entries), default=0)
        for end in range(1, longest + 1):
            yield Recipe(tuple((pattern, steps[:end]) for pattern, steps in self.entries))

    def check_layers(self, layers: Iterable[str]) -> None:
        """Raise ValueError where a pattern other than ``"*"`` matches no layer."""
        names = list(layers)
        for pattern, _ in self.entries:
            if pattern != "*" and not any(fnmatchcase(name, pattern) for name in names):
                raise ValueError(
                    f"recipe: pattern {pattern!r} matches no layer; "
                    f"the layers are: {', '.join(names)}"
                )

    def as_dict(self) -> dict[str, Any]:
        """Return what `to_json` writes, as plain dicts and lists."""
        layers = {pattern: [step.as_dict() for step in steps] for pattern, steps in self.entries}
        return {"version": VERSION, "layers": layers}

    def to_json(self) -> str:
        """Return the recipe as one line of JSON; `recipe_from_json` reads it back."""
        return json.dumps(self.as_dict(), separators=(",", ":"))


def recipe_from_json(text: str, methods: Iterable[type[Setting]] = ()) -> Recipe:
    """Read a recipe from JSON.

    Parameters
    ----------
    text : str
        What `Recipe.to_json` writes, at most 1 MB.
    methods : iterable of type of Setting, optional
        Methods of your own that it may name, besides those of installed packages.

    Returns
    -------
    Recipe

    Raises
    ------
    TypeError, ValueError
        If it is no text, or not such JSON; the message says where it goes wrong.
    """
    if not isinstance(text, str):
        raise TypeError(f"recipe: expected JSON in a str; got {type(text).__name__}")
    if len(text) > MAX_JSON:
        raise ValueError(f"recipe: {len(text)} characters of JSON; at most {MAX_JSON} are read")
    try:
        data = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"recipe: not valid JSON: {error}") from error
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise ValueError(
            f'recipe: expected {{"version": {VERSION}, "layers": {{pattern: [steps]}}}}; '
            f"got {text[:60]!r}"
        )
    layers = data.get("layers")
    if not isinstance(layers, dict) or len(layers) > MAX_PATTERNS:
        raise ValueError('recipe: "layers" must be an object of patterns and lists of steps')
    known = MethodRegistry(methods)
    return Recipe(tuple((key, _steps_from_json(key, v, known)) for key, v in layers.items()))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if twice := _twice([key for key, _ in pairs]):
        raise ValueError(f"{twice!r:.60} comes twice in one object")
    return dict(pairs)


def _twice(names: list[str]) -> str:
    """Return a name that comes twice; "" where none does."""
    if len(set(names)) == len(names):
        return ""
    return next(name for name in names if names.count(name) > 1)


def _steps_from_json(pattern: str, items: Any, known: MethodRegistry) -> Steps:
    if not isinstance(items, list) or len(items) > MAX_STEPS:
        raise ValueError(f"recipe: steps of {pattern!r} must be a list of at most {MAX_STEPS}")
    return tuple(_step_from_json(item, known) for item in items)


def _step_from_json(item: Any, methods: MethodRegistry) -> Setting:
    name = item.get("step") if isinstance(item, dict) else None
    try:
        step = methods.step(name)
    except LookupError as error:
        names = ", ".join(methods.names)
        raise ValueError(
            f'recipe: "step" must be one of {names}; got {item!r:.80}{methods.trouble}'
        ) from error
    given = {key: value for key, value in item.items() if key != "step"}
    known = {field.name for field in fields(step)}
    if unknown := sorted(set(given) - known):
        raise ValueError(
            f"recipe: {name} has no field {', '.join(map(repr, unknown))}; "
            f"its fields are {', '.join(sorted(known))}"
        )
    try:
        return step(**given)
    except TypeError as error:
        raise ValueError(f"recipe: {error}") from error


def _pattern(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"recipe: patterns are strings over layer names; got {key!r}")
    return key


def _steps(items: Any) -> Steps:
    if isinstance(items, Setting):
        return (items,)
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise TypeError(f"recipe: expected a list of steps; got {items!r}")
    for item in items:
        if not isinstance(item, Setting):
            raise TypeError(f"recipe: steps are settings such as Prune(sparsity=0.9); got {item!r}")
    return tuple(items)
