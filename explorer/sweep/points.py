"""What a sweep finds: one point for each recipe, and how far the sweep has come."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from explorer.compress.recipe import Recipe
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Score


@dataclass(frozen=True)
class Point:
    """One recipe, measured.

    Attributes
    ----------
    key : str
        Hash of the network, the data and the recipe; the same wherever it is computed.
    recipe : Recipe
    size_bytes : int
        Bytes of the compressed file; 0 where the recipe failed before they were known.
    original_bytes : int
        Bytes of every parameter and buffer of the network.
    accuracy : Accuracy, Score or None
        A `Score` where a metric judges. None without data, or where the recipe failed.
    seconds : float
        Of computation, on the worker.
    error_message : str
        Why the recipe failed, in words; "" where it did not.
    """

    key: str
    recipe: Recipe
    size_bytes: int
    original_bytes: int
    accuracy: Accuracy | Score | None
    seconds: float
    error_message: str = ""

    @property
    def compression_ratio(self) -> float:
        """Original bytes / compressed bytes; NaN where the size is not known."""
        return self.original_bytes / self.size_bytes if self.size_bytes else math.nan


@dataclass(frozen=True)
class Progress:
    """How far a sweep has come.

    Attributes
    ----------
    done, total : int
        Points that are there, those found in the store included, and all of them.
    n_known : int
        Points found in the store.
    remaining_s : float
        Estimated seconds until the last point, from those computed so far; NaN before
        the first.
    """

    done: int
    total: int
    n_known: int
    remaining_s: float

    @classmethod
    def after(cls, elapsed_s: float, done: int, total: int, n_known: int) -> Progress:
        """Estimate from the seconds that the points computed so far have taken together."""
        n_computed = done - n_known
        left = total - done
        remaining = elapsed_s * left / n_computed if n_computed else (math.nan if left else 0.0)
        return cls(done, total, n_known, remaining)


Hear = Callable[[Progress], object]


def unheard(progress: Progress) -> None:
    """Take no notice of progress."""
