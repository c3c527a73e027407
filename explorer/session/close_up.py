"""What the views show of the chosen layer, each figure made when it is first asked for."""

from __future__ import annotations

from functools import cached_property

from explorer.compress.methods.product import ProductQuantized
from explorer.compress.methods.residual import ResidualQuantized
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plan import Plan
from explorer.compress.records.record import Record
from explorer.compress.records.storage import Stored
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


class CloseUp:
    """One layer seen closely.

    Parameters
    ----------
    layer, original : IndexedLayer
        The layer that is compressed, and the one it was before neurons were removed.
    plan : Plan
        What is made of it.
    row : LayerFigures
        Its figures.
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
