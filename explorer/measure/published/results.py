"""Reproduced results beside published ones, and how a file came to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.measure.curves import Line


@dataclass(frozen=True)
class Reproduced:
    """A published result and ours.

    `name`: such as ``"deep-compression-lenet-5"``. `source`: the paper. `published`, `reached`:
    figures by name: ratios and counts as they are, errors and shares as fractions. `error`, `low`,
    `high`: error on test images and its 95 % interval; fractions. `n`: test images. `seconds`: what
    it took. `met`: whether what was to be reached was reached.
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

    `found`: with ``name``, ``published`` (``source`` and ``figures``), ``reached``, ``test``
    (``top1``, ``low``, ``high``, ``n``), ``seconds`` and ``reproduced``. Raises ValueError if one
    of them is missing.
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


STAGES = {
    "dense": "start",
    "prune": "prune and retrain",
    "share": "share values and train them",
}


@dataclass(frozen=True, eq=False)
class Story:
    """What became of a network while it was compressed.

    `name`: of the result, such as ``"record-lenet-5"``. `rate`, `accuracy`, `density`: over epochs:
    original bytes / bytes of the file, top-1 accuracy on the images that settings were chosen by,
    and share of the weights that are left; fractions. `stages`: the epoch after which each stage
    begins, and what it does, in words. `n_epochs`: in all stages. `n_validation`: images that
    settings were chosen by. `size_bytes`: of the file in the end. `test_error`: in the end, on test
    images; a fraction.
    """

    name: str
    rate: Line
    accuracy: Line
    density: Line
    stages: tuple[tuple[int, str], ...]
    n_epochs: int
    n_validation: int
    seconds: float
    size_bytes: int
    test_error: float


def story(found: Mapping[str, Any]) -> Story | None:
    """Read the history of what a reproduction wrote; None where it made no file.

    `found`: as `explorer.reproduce.record.Reproduction.as_dict` gives it.
    """
    moments, reached = found.get("history", []), found.get("reached", {})
    if not moments or not {"rate", "size_bytes"} <= set(reached):
        return None
    original = reached["rate"] * reached["size_bytes"]
    epochs = np.array([moment["epoch"] for moment in moments])

    def line(values: list[float]) -> Line:
        return Line(epochs, np.array(values, dtype=np.float64))

    return Story(
        name=found["name"],
        rate=line([original / moment["size_bytes"] for moment in moments]),
        accuracy=line([moment["accuracy"] for moment in moments]),
        density=line([moment["density"] for moment in moments]),
        stages=_stages(moments),
        n_epochs=int(epochs[-1]),
        n_validation=found["validation"]["n"],
        seconds=found["seconds"],
        size_bytes=reached["size_bytes"],
        test_error=1 - found["test"]["top1"],
    )


def _stages(moments: list[dict[str, Any]]) -> tuple[tuple[int, str], ...]:
    """Return the epoch after which each stage begins, and its name in words."""
    begun, before, epoch = [], "", 0
    for moment in moments:
        if moment["stage"] != before:
            before = moment["stage"]
            begun.append((epoch, STAGES.get(before, before)))
        epoch = moment["epoch"]
    return tuple(begun)
