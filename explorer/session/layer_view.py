"""LayerView: one layer of a session seen closely, and its bytes step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property

from explorer.compress.methods.product import ProductQuantized
from explorer.compress.methods.residual import ResidualQuantized
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plan import Plan
from explorer.compress.networks.recipe import Recipe
from explorer.compress.records.record import Record
from explorer.compress.records.storage import Stored
from explorer.measure.bytes import Breakdown, Waterfall, breakdown
from explorer.measure.formulas.layer import ByTopic, layer_formulas
from explorer.measure.maps import (
    ErrorMap,
    Histogram,
    SparsityMap,
    error_map,
    histogram,
    sparsity_map,
)
from explorer.measure.result import LayerFigures
from explorer.measure.spectrum import Codebook, Spectrum, StageErrors, codebook, spectrum
from explorer.session.networks import NetworkState
from explorer.session.trials import Trial


class CloseUp:
    """One layer seen closely.

    `layer`, `original`: the layer that is compressed, and the one it was before neurons were
    removed. `plan`: what is made of it. `row`: its figures.
    """

    def __init__(
        self, layer: IndexedLayer, original: IndexedLayer, plan: Plan, row: LayerFigures
    ) -> None:
        self._layer, self._original, self._plan, self.row = layer, original, plan, row

    @property
    def layer(self) -> str:
        """The layer's name."""
        return self._layer.name

    @cached_property
    def histogram(self) -> Histogram:
        """The weights' distribution before and after."""
        return histogram(self._plan, self._layer.ordering)

    @cached_property
    def sparsity(self) -> SparsityMap:
        """Where weights are kept."""
        return sparsity_map(self._plan, self._layer)

    @cached_property
    def spectrum(self) -> Spectrum | None:
        """Singular values; None until they are known, and for a tensor with one axis."""
        if len(self._layer.shape) < 2 or self._layer.needs_factors:
            return None
        return spectrum(self._layer.factors, self._plan.rank)

    @cached_property
    def codebook(self) -> Codebook | None:
        """The values that weights share; None where they share none."""
        return codebook(self._plan)

    @cached_property
    def error_map(self) -> ErrorMap:
        """Where compressed weights differ from the original ones."""
        part = self._layer.sample
        before, after = part.values.numpy(), self._plan.sample(part)
        rows, columns = self._layer.matrix.shape
        return error_map(before, after, (rows, columns), self.row.error, part.stride)

    @cached_property
    def stage_errors(self) -> StageErrors | None:
        """Error after each stage or of each strip; None for other methods."""
        record: Record | None = self._plan.record
        inner = record.inner if isinstance(record, Stored) else record
        weight = self._layer.source
        if isinstance(inner, ResidualQuantized):
            errors = inner.stage_errors(weight).tolist()
            return StageErrors(tuple(f"{i + 1}" for i in range(len(errors))), tuple(errors))
        if isinstance(inner, ProductQuantized):
            errors = inner.subvector_errors(weight).tolist()
            labels = tuple(f"{i + 1}" for i in range(len(errors)))
            return StageErrors(labels, tuple(errors), "block")
        return None

    @cached_property
    def formulas(self) -> ByTopic:
        """The lecture's formulas with the layer's numbers, by topic."""
        return layer_formulas(self._plan, self._layer, self._original, self.row)


NAMED = 2


def close_up(trial: Trial, layer: str, first: NetworkState) -> CloseUp:
    """Return what the views show of a layer.

    `first`: what figures are compared with. Raises KeyError if there is no such layer.
    """
    layers = trial.state.layers
    if layer not in layers:
        raise KeyError(f"layer {layer!r} is not one of {', '.join(layers)}")
    return CloseUp(layers[layer], first.layers[layer], trial.plans[layer], trial.result[layer])


def bytes_spent(trial: Trial) -> Breakdown:
    """Return what the bytes of a trial's file are spent on."""
    return breakdown(trial.state.network, trial.plans, trial.result.size_bytes)


def bytes_step_by_step(trial: Trial, plan: Callable[[Recipe], Trial]) -> Waterfall:
    """Return the bytes of the file after each step of a trial's recipe.

    Where layers take different steps at once, the stage is named after all of them, those of most
    weights first; steps of patterns that are left no layer make no stage.

    `plan`: takes the first steps of the recipe to their trial.
    """
    stages = [("Original", trial.result.original_bytes)]
    for position, recipe in enumerate(trial.recipe.prefixes()):
        if words := _step_words(trial, position):
            stages.append((words, plan(recipe).result.size_bytes))
    return Waterfall(tuple(stages))


def _step_words(trial: Trial, position: int) -> str:
    """Say what the layers' steps at a position of the recipe do; "" where no layer has one."""
    n_weights: Counter[str] = Counter()
    for layer in trial.state.layers:
        steps = trial.recipe.steps_for(layer)
        if position < len(steps):
            n_weights[steps[position].describe()] += trial.result[layer].n_weights
    found = [words for words, _ in n_weights.most_common()]
    if len(found) > NAMED:
        return f"{found[0]} or {len(found) - 1} others"
    return " or ".join(found)
