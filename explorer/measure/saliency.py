"""Saliency of a network's weights on data: what each would cost by Optimal Brain Damage."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from torch import Tensor, nn

from explorer.compress.networks.saliency import saliencies
from explorer.measure.data import batches, n_samples

BATCH = 200
MAX_SAMPLES = 2000


def network_saliency(
    net: nn.Module, data: Any, progress: Callable[[float], None]
) -> dict[str, Tensor]:
    """Measure the saliency h w^2 / 2 of every compressible weight.

    `net`: left unchanged. `data`: pairs of input and class index; at most the first 2,000 are used.
    `progress`: called with the share of the samples done, in [0, 1]. Returns: by layer, of the
    weight's shape, float32.

    References
    ----------
    LeCun, Denker, Solla. "Optimal brain damage". NeurIPS 1989.
    """
    total = min(n_samples(data) or MAX_SAMPLES, MAX_SAMPLES)
    some = islice(batches(data, BATCH), -(-total // BATCH))
    found = saliencies(net, some, progress=lambda n_done: progress(min(1.0, n_done / total)))
    if not found:
        raise ValueError("data: holds no samples to measure the saliency of weights on")
    return found
