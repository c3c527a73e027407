"""Formulas that apply to a layer as it is compressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from explorer.codec.header import layout_fields
from explorer.compress.coding.streams import SymbolStream
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plan import Plan
from explorer.compress.records.storage import Stored
from explorer.measure.formulas import methods
from explorer.measure.formulas.formula import Formula
from explorer.measure.formulas.methods import (
    NAMES,
    entropy,
    entropy_bound,
    product,
    residual,
    residual_as_printed,
)
from explorer.measure.result import LayerFigures

ByTopic = Mapping[str, tuple[Formula, ...]]


def layer_formulas(
    plan: Plan, layer: IndexedLayer, original: IndexedLayer, row: LayerFigures
) -> dict[str, tuple[Formula, ...]]:
    """Fill in the formulas that apply to a layer.

    `plan`: what is made of the layer. `layer`, `original`: the layer that is compressed, and the
    one it was before neurons were removed. `row`: its figures. Returns: by topic: ``"Prune"``,
    ``"Quantize"``, ``"Share"``, ``"Factorize"``, ``"Combine"``. A topic whose methods the layer's
    steps do not use is left out.
    """
    layout = plan.layout
    inner = layout["record"] if layout["kind"] == "stored" else layout
    spent = _spent(layout, layer)
    found = {
        "Prune": _pruning(layer, original, row, spent),
        "Quantize": _quantization(inner, layer, spent),
        "Share": _sharing(inner, layer, spent),
        "Factorize": _factorization(inner, layer, row),
        "Combine": _coding(plan),
    }
    return {topic: tuple(_named(f) for f in made) for topic, made in found.items() if made}


def _named(formula: Formula) -> Formula:
    """Say "measured" of what is not the whole file's, unless a coder is named."""
    named = formula.measured_name in NAMES.values()
    return formula if named else replace(formula, measured_name="measured")


def _spent(layout: Mapping[str, Any], layer: IndexedLayer) -> dict[str, int]:
    """Return the bits that the file spends on the layer's positions, and on its values."""
    spent = {"positions": 0, "values": 0}
    for field in layout_fields(layout, layer.shape, layer.dtype):
        spent["positions" if field.role == "indices" else "values"] += field.bits
    return spent


def _size(layer: IndexedLayer) -> tuple[int, int]:
    rows, columns = layer.matrix.shape
    return rows, columns


def _pruning(
    layer: IndexedLayer, original: IndexedLayer, row: LayerFigures, spent: Mapping[str, int]
) -> list[Formula]:
    """Measured is what the layer would take with its kept weights as they were."""
    made = []
    if layer.n_weights < original.n_weights:
        made.append(methods.neurons(_size(original), _size(layer)))
    if row.n_nonzero < layer.n_weights:
        kept_bits = row.n_nonzero * 8 * layer.dtype.itemsize + spent["positions"]
        ratio = layer.original_bits / kept_bits if kept_bits else None
        made.append(methods.sparsity(layer.n_weights, row.n_nonzero, ratio))
    return made


def _quantization(
    layout: Mapping[str, Any], layer: IndexedLayer, spent: Mapping[str, int]
) -> list[Formula]:
    if layout["kind"] not in ("binarized", "quantized"):
        return []
    bits = 8 * layer.dtype.itemsize
    ratio = _values_ratio(layout["kept"], bits, spent)
    if layout["kind"] == "binarized":
        return [methods.binary(ratio, bits)]
    values = layer.ordering.values
    step = methods.quantization_step(float(values[0]), float(values[-1]), layout["bits"])
    return [step, methods.quantization(layout["bits"], ratio, bits)]


def _values_ratio(count: int, bits: int, spent: Mapping[str, int]) -> float | None:
    """How much smaller `count` weights got, their positions left aside."""
    return count * bits / spent["values"] if spent["values"] else None


def _sharing(
    layout: Mapping[str, Any], layer: IndexedLayer, spent: Mapping[str, int]
) -> list[Formula]:
    bits = 8 * layer.dtype.itemsize
    ratio = _values_ratio(layout.get("kept", layer.n_weights), bits, spent)
    rows, columns = _size(layer)
    match layout["kind"]:
        case "shared" if layout["kept"] and layout["values"]:
            return [methods.sharing(layout["kept"], layout["values"], ratio, bits)]
        case "product":
            size = (rows, columns) if layout["axis"] == 1 else (columns, rows)
            counts = layout["subvectors"], layout["centroids"]
            return [product(*size, *counts, ratio, bits)]
        case "residual":
            counts = layout["stages"], layout["centroids"]
            printed = residual_as_printed(rows, columns, *counts)
            return [residual(rows, columns, *counts, ratio, bits), printed]
    return []


def _factorization(
    layout: Mapping[str, Any], layer: IndexedLayer, row: LayerFigures
) -> list[Formula]:
    if layout["kind"] != "low_rank" or not layout["rank"]:
        return []
    plain = all(layout[side]["kind"] == "dense" for side in ("left", "right"))
    ratio = layer.original_bits / row.size_bits if plain else None
    return [methods.low_rank(*_size(layer), layout["rank"], ratio)]


def _coding(plan: Plan) -> list[Formula]:
    record = plan.record
    if not isinstance(record, Stored) or record.codes is None:
        return []
    codes = record.codes
    return [entropy_of(codes), entropy_bound(codes.counts, _mean_bits(codes), codes.coder)]


def entropy_of(stream: SymbolStream) -> Formula:
    """Fill in the entropy of a stream's symbols beside what its coder takes."""
    return entropy(stream.counts, _mean_bits(stream), stream.coder)


def _mean_bits(stream: SymbolStream) -> float:
    return 8 * stream.n_bytes / max(1, int(np.sum(stream.counts)))
