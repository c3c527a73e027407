"""A recipe that is tried: what it is tried on, and what becomes of each layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from explorer.compress.networks.plan import Plan
from explorer.compress.networks.recipe import Recipe
from explorer.measure.result import Result
from explorer.session.subjects import Task


@dataclass(frozen=True)
class Trial:
    """A recipe that is tried.

    Attributes
    ----------
    recipe : Recipe
    task : Task
        The network that it compresses, and the steps of its layers.
    plans : mapping of str to Plan
        What becomes of each layer.
    result : Result
        The figures, without accuracy.
    """

    recipe: Recipe
    task: Task
    plans: Mapping[str, Plan]
    result: Result
