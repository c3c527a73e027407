"""How a small network came to be: its size and accuracy, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.measure.curves import Line

STAGES = {
    "dense": "start",
    "prune": "prune and retrain",
    "share": "share values and train them",
}


@dataclass(frozen=True, eq=False)
class Story:
    """What became of a network while it was compressed.

    Attributes
    ----------
    name : str
        Of the result, such as ``"record-lenet-5"``.
    rate, accuracy, density : Line
        Over epochs: original bytes / bytes of the file, top-1 accuracy on the images that
        settings were chosen by, and share of the weights that are left; fractions.
    stages : tuple of (int, str)
        The epoch after which each stage begins, and what it does, in words.
    n_epochs : int
        In all stages.
    n_validation : int
        Images that settings were chosen by.
    seconds : float
    size_bytes : int
        Of the file in the end.
    test_error : float
        In the end, on test images; a fraction.
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

    Parameters
    ----------
    found : mapping
        As `explorer.reproduce.record.Reproduction.as_dict` gives it.
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
