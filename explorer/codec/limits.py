"""How much room the tensors that a header promises would take."""

from __future__ import annotations

import torch

from explorer.codec.counts import Layout
from explorer.codec.layouts import codebook_layout, codes_shape

MAX_WEIGHTS = 1 << 31


def numbers_in(layout: Layout, shape: torch.Size) -> int:
    """Count the weights of a tensor, and all numbers on the way to them.

    A few bytes may promise factors, codes or centroids that are many more than the weights.

    Parameters
    ----------
    layout : dict
        One that `layout_fields` has found sound.
    shape : torch.Size
        Of the restored tensor.

    Returns
    -------
    int
        Weights, entries of factors, codes, entries of codebooks, and a sum of each
        weight for every stage of residual quantization.
    """
    n = shape.numel()
    match layout["kind"]:
        case "stored":
            return numbers_in(layout["record"], shape)
        case "low_rank":
            rank, n_rows = layout["rank"], shape[0]
            left = numbers_in(layout["left"], torch.Size([n_rows, rank]))
            return n + left + numbers_in(layout["right"], torch.Size([rank, n // n_rows]))
        case "shared":
            return n + numbers_in(*codebook_layout(layout, shape))
        case "product" | "residual":
            stages = layout.get("stages", 1) if layout["kind"] == "residual" else 1
            codes = codes_shape(layout, shape).numel()
            return n * stages + codes + numbers_in(*codebook_layout(layout, shape))
    return n
