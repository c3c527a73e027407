"""Recipes: ordered steps for layers chosen by pattern, with JSON in and out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from explorer.compress.binarize import Binarize
from explorer.compress.entropy import Entropy
from explorer.compress.low_rank import LowRank
from explorer.compress.neurons import PruneNeurons
from explorer.compress.product import Product
from explorer.compress.prune import Prune
from explorer.compress.quantize import Quantize
from explorer.compress.relative_index import RelativeIndex
from explorer.compress.residual import Residual
from explorer.compress.setting import Setting
from explorer.compress.share import Share

STEPS: dict[str, type[Setting]] = {
    step.__name__: step
    for step in (
        Prune,
        PruneNeurons,
        Quantize,
        Binarize,
        Share,
        Product,
        Residual,
        LowRank,
        RelativeIndex,
        Entropy,
    )
}
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
    """

    entries: tuple[tuple[str, Steps], ...] = ()

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

    def pattern_for(self, layer: str) -> str | None:
        """Return the first pattern that matches a layer's name; None where none does."""
        return next((pattern for pattern, _ in self.entries if fnmatchcase(layer, pattern)), None)

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


def recipe_from_json(text: str) -> Recipe:
    """Read a recipe from JSON.

    Parameters
    ----------
    text : str
        What `Recipe.to_json` writes, at most 1 MB.

    Returns
    -------
    Recipe

    Raises
    ------
    ValueError
        If the text is not such JSON; the message says where it goes wrong.
    """
    if len(text) > MAX_JSON:
        raise ValueError(f"recipe: {len(text)} characters of JSON; at most {MAX_JSON} are read")
    try:
        data = json.loads(text)
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
    return Recipe(tuple((key, _steps_from_json(key, value)) for key, value in layers.items()))


def _steps_from_json(pattern: str, items: Any) -> Steps:
    if not isinstance(items, list) or len(items) > MAX_STEPS:
        raise ValueError(f"recipe: steps of {pattern!r} must be a list of at most {MAX_STEPS}")
    return tuple(_step_from_json(item) for item in items)


def _step_from_json(item: Any) -> Setting:
    name = item.get("step") if isinstance(item, dict) else None
    if not isinstance(name, str) or name not in STEPS:
        raise ValueError(f'recipe: "step" must be one of {", ".join(STEPS)}; got {item!r:.80}')
    step = STEPS[name]
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
