"""Grids: a TOML file in which a list of values means "try each"."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from explorer.compress.methods.setting import Setting
from explorer.compress.networks.recipe import MAX_STEPS, VERSION, Recipe, recipe_from_json

MAX_BYTES = 1 << 20
MAX_POINTS = 100_000


@dataclass(frozen=True)
class Choice:
    """The settings that one table of a grid stands for.

    `pattern`: which layers; None for all. `settings`: one of which is in each recipe.
    """

    pattern: str | None
    settings: tuple[Setting, ...]


def read_grid(path: str | Path) -> list[Recipe]:
    """Read a grid from a file; see `grid_from_toml`.

    Raises ValueError if the file is no grid, or larger than 1 MiB. Raises OSError if it cannot be
    read.
    """
    with Path(path).open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    try:
        return grid_from_toml(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"grid: {Path(path).name!r} is not text in UTF-8: {error}") from error


def grid_from_toml(text: str) -> list[Recipe]:
    """Return every recipe of a grid.

    A grid is a list of ``[[steps]]`` tables, applied from top to bottom. ``step`` names
    the method, the other entries are its fields; a list means "try each value", and the
    grid is the product of all lists. ``layers`` is an fnmatch pattern over layer names:
    without it a step is for every layer, with it for the layers that match, where a
    layer goes by the first pattern in the file that matches it. ``layers = "*"`` is for
    those that no pattern before matches.

    `text`: TOML, at most 1 MiB. Returns: at most 100,000; the last list varies fastest. Raises
    ValueError if the text is no such TOML; the message names the table.

    Examples
    --------
    >>> recipes = grid_from_toml('''
    ... [[steps]]
    ... step = "Prune"
    ... sparsity = [0.8, 0.9]
    ...
    ... [[steps]]
    ... step = "Share"
    ... n_clusters = [4, 16, 64]
    ... layers = "fc*"
    ... ''')
    >>> len(recipes)
    6
    >>> [step.describe() for step in recipes[0].steps_for("fc1")]
    ['Prune 80%', 'Share 4 values']
    >>> [step.describe() for step in recipes[0].steps_for("conv1")]
    ['Prune 80%']
    """
    tables = _tables(text)
    n_points = math.prod(
        len(value) for table in tables for value in table.values() if isinstance(value, list)
    )
    if n_points > MAX_POINTS:
        raise ValueError(f"grid: makes {n_points:,} recipes; at most {MAX_POINTS:,} are tried")
    choices = [_choice(i, table) for i, table in enumerate(tables, 1)]
    return [
        _recipe(choices, settings) for settings in product(*(choice.settings for choice in choices))
    ]


def _tables(text: str) -> list[dict[str, Any]]:
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(
            f"grid: the text is larger than {MAX_BYTES:,} bytes, the most that is read"
        )
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"grid: not valid TOML: {error}") from error
    if unknown := sorted(set(content) - {"steps"}):
        raise ValueError(f"grid: has no entry {unknown[0]!r}; it is a list of [[steps]] tables")
    tables = content.get("steps")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError("grid: expected [[steps]] tables, with double brackets; found none")
    if not 1 <= len(tables) <= MAX_STEPS:
        raise ValueError(f"grid: expected 1 to {MAX_STEPS} [[steps]] tables; found {len(tables)}")
    return tables


def _choice(number: int, table: dict[str, Any]) -> Choice:
    fields = dict(table)
    pattern = fields.pop("layers", None)
    try:
        if pattern is not None and (not isinstance(pattern, str) or not pattern):
            raise ValueError(f"layers must be one pattern over layer names; got {pattern!r:.80}")
        return Choice(pattern, tuple(_setting(values) for values in _combinations(fields)))
    except ValueError as error:
        raise ValueError(f"grid: [[steps]] table {number}: {error}") from error


def _combinations(fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
    options: list[list[Any]] = []
    for name, value in fields.items():
        listed = value if isinstance(value, list) else [value]
        if not listed:
            raise ValueError(f"{name} must be a value, or a list of values to try; got []")
        if bad := [item for item in listed if not isinstance(item, (bool, int, float, str))]:
            raise ValueError(f"{name} must be numbers, text, true or false; got {bad[0]!r:.80}")
        options.append(listed)
    for values in product(*options):
        yield dict(zip(fields, values, strict=True))


def _setting(values: dict[str, Any]) -> Setting:
    text = json.dumps({"version": VERSION, "layers": {"*": [values]}})
    try:
        return recipe_from_json(text).steps_for("")[0]
    except ValueError as error:
        raise ValueError(str(error).removeprefix("recipe: ")) from error


def _recipe(choices: list[Choice], settings: tuple[Setting, ...]) -> Recipe:
    named = dict.fromkeys(choice.pattern for choice in choices if choice.pattern is not None)
    if any(choice.pattern is None for choice in choices):
        named.setdefault("*")
    pairs = list(zip(choices, settings, strict=True))
    return Recipe(
        tuple(
            (pattern, tuple(s for choice, s in pairs if choice.pattern in (None, pattern)))
            for pattern in named
        )
    )
