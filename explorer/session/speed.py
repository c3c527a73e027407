"""How fast the compressed network, and its products in small integers, really are."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from explorer.measure.integer_products import time_products
from explorer.measure.latency import Speed, SpeedRow, compare
from explorer.stopping import Stop

PRODUCT_NAMES = {"int8": "8-bit integers", "binary": "Signs, 64 a word"}


def network_speed(
    original: nn.Module, compressed: nn.Module, input_shape: Sequence[int], should_stop: Stop
) -> Speed | None:
    """Time one inference of both networks; None where it was stopped.

    `input_shape`: one input, without the batch. `should_stop`: asked between runs.
    """
    found = compare(original, compressed, input_shape, should_stop=should_stop)
    if found is None:
        return None
    note = f"one input, median of {found.first.n_runs} runs in turn"
    row = SpeedRow("Whole network", found.first.median_ms, found.second.median_ms, note)
    return Speed((row,))


def product_speed(matrix: Tensor, should_stop: Stop) -> Speed | None:
    """Time a layer's matrix product on small integers; None where it was stopped.

    `matrix`: shape (out, in). `should_stop`: asked between runs.
    """
    rows = tuple(
        SpeedRow(
            f"{PRODUCT_NAMES.get(timing.kind, timing.kind)}, batch {timing.batch_size}",
            timing.float_ms,
            timing.packed_ms + timing.packing_ms,
            "against float32; packing the inputs is part of it",
        )
        for batch_size in (1, 64)
        for timing in time_products(matrix, batch_size, should_stop=should_stop)
    )
    return Speed(rows) if rows else None
