"""Close looks at a recipe that is tried: one of its layers, and where the bytes of its file go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from explorer.compress.networks.recipe import Recipe
from explorer.measure.bytes import Breakdown, Waterfall, breakdown
from explorer.session.close_up import CloseUp
from explorer.session.subject import Subject
from explorer.session.trial import Trial

NAMED = 2


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

    Where layers take different steps at once, the stage is named after all of them, those of most
    weights first; steps of patterns that are left no layer make no stage.

    Parameters
    ----------
    trial : Trial
    plan : callable
        Takes the first steps of the recipe to their trial.
    """
    stages = [("Original", trial.result.original_bytes)]
    for position, recipe in enumerate(trial.recipe.prefixes()):
        if words := _step_words(trial, position):
            stages.append((words, plan(recipe).result.size_bytes))
    return Waterfall(tuple(stages))


def _step_words(trial: Trial, position: int) -> str:
    """Say what the layers' steps at a position of the recipe do; "" where no layer has one."""
    n_weights: Counter[str] = Counter()
    for layer in trial.task.subject.layers:
        steps = trial.recipe.steps_for(layer)
        if position < len(steps):
            n_weights[steps[position].describe()] += trial.result[layer].n_weights
    found = [words for words, _ in n_weights.most_common()]
    if len(found) > NAMED:
        return f"{found[0]} or {len(found) - 1} others"
    return " or ".join(found)
