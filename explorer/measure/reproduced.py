"""A published result beside the one that was reached here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reproduced:
    """A published result and ours.

    Attributes
    ----------
    name : str
        Such as ``"deep-compression-lenet-5"``.
    source : str
        The paper.
    published, reached : mapping of str to float
        Figures by name: ratios and counts as they are, errors and shares as fractions.
    error, low, high : float
        Error on test images and its 95 % interval; fractions.
    n : int
        Test images.
    seconds : float
        What it took.
    met : bool
        Whether what was to be reached was reached.
    """

    name: str
    source: str
    published: Mapping[str, float]
    reached: Mapping[str, float]
    error: float
    low: float
    high: float
    n: int
    seconds: float
    met: bool


def reproduced(found: Mapping[str, Any]) -> Reproduced:
    """Read what a reproduction wrote.

    Parameters
    ----------
    found : mapping
        With ``name``, ``published`` (``source`` and ``figures``), ``reached``, ``test``
        (``top1``, ``low``, ``high``, ``n``), ``seconds`` and ``reproduced``.

    Raises
    ------
    ValueError
        If one of them is missing.
    """
    try:
        test, published = found["test"], found["published"]
        return Reproduced(
            name=found["name"],
            source=published["source"],
            published=dict(published["figures"]),
            reached=dict(found["reached"]),
            error=1 - test["top1"],
            low=1 - test["high"],
            high=1 - test["low"],
            n=test["n"],
            seconds=found["seconds"],
            met=found["reproduced"],
        )
    except KeyError as error:
        name = found.get("name", "a result")
        raise ValueError(f"results: {name} has no entry {error}; write it anew") from None


def reached_first(records: Sequence[Reproduced]) -> list[Reproduced]:
    """Return results in their order, those that reached their goal before the others."""
    return sorted(records, key=lambda record: not record.met)
