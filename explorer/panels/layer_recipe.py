"""One layer's dial in a recipe: where it stands, and the recipe with it set anew."""

from __future__ import annotations

from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.setting import Setting
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.measure.result import LayerFigures
from explorer.sweep.dials import LayerDial, Shape
from explorer.sweep.sensitivity import literal


def with_layer_dial(
    recipe: Recipe, layer: str, dial: LayerDial, value: float, shape: Shape
) -> Recipe:
    """Return a recipe with one layer's dial set; its other steps, and other layers, stay.

    Pruning takes the place of pruning, and any other dial that of the step that codes the
    layer's values; what says how these are written comes last, as before.

    Parameters
    ----------
    recipe : Recipe
    layer : str
    dial : LayerDial
    value : float
    shape : tuple of int
        Of the layer's matrix.
    """
    steps = _with(recipe.steps_for(layer), dial.kind, dial.steps(value, shape))
    name = literal(layer)
    others = tuple(entry for entry in recipe.entries if entry[0] != name)
    return Recipe(((name, steps), *others))


def dial_value(recipe: Recipe, row: LayerFigures, dial: LayerDial, shape: Shape) -> float | None:
    """Return where a layer's dial stands under a recipe; None where it has no such step.

    Parameters
    ----------
    recipe : Recipe
    row : LayerFigures
        Of the layer under that recipe.
    dial : LayerDial
    shape : tuple of int
        Of the layer's matrix.
    """
    step = next((s for s in recipe.steps_for(row.name) if isinstance(s, dial.kind)), None)
    if isinstance(step, Prune):
        return 1 - row.sparsity
    if isinstance(step, Quantize):
        return step.bits
    if isinstance(step, Share):
        return step.n_clusters
    if isinstance(step, LowRank) and step.rank is not None:
        return min(1.0, step.rank / min(shape))
    return None


def _with(steps: Steps, kind: type[Setting], new: Steps) -> Steps:
    kept = [step for step in steps if step.role != kind.role]
    if kind.role == "prunes":
        return (*new, *kept)
    place = next((i for i, step in enumerate(kept) if step.role == "writes"), len(kept))
    return (*kept[:place], *new, *kept[place:])
