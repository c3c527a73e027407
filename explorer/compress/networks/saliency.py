"""Optimal brain damage: how much the loss rises when a weight is removed, to second order.

About a minimum of the loss, zeroing weight w costs ``h w ** 2 / 2``, h the diagonal entry of
the Hessian; `Curvature` says what stands for it here.

References
----------
LeCun, Denker, Solla. "Optimal brain damage". NeurIPS 1989, published 1990.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor, nn

from explorer.compress.networks.curvature import Curvature
from explorer.compress.networks.weights import compressible


def saliencies(
    net: nn.Module,
    batches: Iterable[tuple[Tensor, Any]],
    should_stop: Callable[[], bool] | None = None,
    progress: Callable[[int], None] | None = None,
    n_draws: int = 1,
) -> dict[str, Tensor] | None:
    """Estimate what removing each single weight adds to the mean loss.

    `net`: classifier that returns logits of shape (n, classes); left unchanged. It is run in eval
    mode. `batches`: inputs of shape (n, ...); the labels are not looked at. `should_stop`: asked
    before each batch; once it is true, nothing is returned. `progress`: told the number of samples
    done after each batch. `n_draws`: see `Curvature`. Returns: for each compressible layer ``h w **
    2 / 2``, float32, shape of its weight. Raises ValueError if there is no sample, or the logits
    are not finite or not of shape (n, classes).

    References
    ----------
    LeCun, Denker, Solla. "Optimal brain damage". NeurIPS 1989, published 1990.
    """
    curvature = Curvature(net, n_draws)
    for inputs, _ in batches:
        if should_stop is not None and should_stop():
            return None
        curvature.add(inputs)
        if progress is not None:
            progress(curvature.n_samples)
    weights = compressible(net)
    return {
        name: diagonal.mul_(weights[name].detach().float().square()).mul_(0.5)
        for name, diagonal in curvature.diagonal().items()
    }
