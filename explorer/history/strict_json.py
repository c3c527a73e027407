"""JSON from outside, read strictly: links, and files of bookmarks."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any

MAX_DIGITS = 18


def read_json(text: str, what: str) -> Any:
    """Read JSON, refusing what well-made JSON of ours never holds.

    `what`: what the text is, for errors. Raises ValueError if it is no JSON, is nested too deep,
    repeats a key, or holds NaN, an infinity or an integer of more than 18 digits.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what}: not the JSON that it should be: {error}") from error


def check_object(value: Any, what: str, known: Collection[str]) -> dict[str, Any]:
    """Return an object of which every key is known.

    Raises ValueError if it is no object, or has another key.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{what}: expected an object in braces; got {value!r:.60}")
    if unknown := sorted(set(value) - set(known)):
        raise ValueError(
            f"{what}: no part is called {', '.join(f'{name!r:.40}' for name in unknown[:3])}; "
            f"its parts are {', '.join(known)}"
        )
    return value


def check_text(value: Any, what: str, longest: int) -> str:
    """Return a text of printable characters that is not too long; it may be empty.

    Raises ValueError if it is something else.
    """
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise ValueError(
            f"{what}: expected at most {longest} characters of plain text; got {value!r:.60}"
        )
    return value


def check_number(value: Any, what: str, low: float, high: float) -> float:
    """Return a number within bounds, ends included. Raises ValueError if it is something else."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:
        raise ValueError(f"{what}: expected a number from {low:g} to {high:g}; got {value!r:.60}")
    return value


def check_integer(value: Any, what: str, low: int, high: int) -> int:
    """Return an integer within bounds, ends included. Raises ValueError if it is something else."""
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if not is_integer or not low <= value <= high:
        raise ValueError(f"{what}: expected a whole number from {low} to {high}; got {value!r:.60}")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text:.20} is too large a number")
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"{text:.20} is too long a number")
    return int(text)
