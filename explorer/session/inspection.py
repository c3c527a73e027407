"""Close looks at a recipe that is tried: one of its layers, and where the bytes of its file go."""

from __future__ import annotations

from collections.abc import Callable

from explorer.compress.recipe import Recipe
from explorer.measure.breakdown import Breakdown, breakdown
from explorer.measure.waterfall import Waterfall
from explorer.session.close_up import CloseUp
from explorer.session.subject import Subject
from explorer.session.trial import Trial


def close_up(trial: Trial, layer: str, first: Subject) -> CloseUp:
    """Return what the views show of a layer.

    Parameters
    ----------
    trial : Trial
    layer : str
    first : Subject
        What figures are compared with.

    Raises
    ------
    KeyError
        If there is no such layer.
    """
    layers = trial.task.subject.layers
    if layer not in layers:
        raise KeyError(f"layer {layer!r} is not one of {', '.join(layers)}")
    return CloseUp(layers[layer], first.layers[layer], trial.plans[layer], trial.result[layer])


def bytes_spent(trial: Trial) -> Breakdown:
    """Return what the bytes of a trial's file are spent on."""
    return breakdown(trial.task.subject.network, trial.plans, trial.result.size_bytes)


def bytes_step_by_step(trial: Trial, plan: Callable[[Recipe], Trial]) -> Waterfall:
    """Return the bytes of the file after each step of a trial's recipe.

    Parameters
    ----------
    trial : Trial
    plan : callable
        Takes the first steps of the recipe to their trial.
    """
    stages = [("Original", trial.result.original_bytes)]
    for recipe in trial.recipe.prefixes():
        steps = max((steps for _, steps in recipe.entries), key=len)
        stages.append((steps[-1].describe(), plan(recipe).result.size_bytes))
    return Waterfall(tuple(stages))
