"""The network that is evaluated: a copy whose weights are rewritten in place."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from explorer.compress.networks.copied import copied
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plan import Plan
from explorer.compress.networks.weights import compressible


class WorkingCopy:
    """A copy of the network with kept buffers for its compressible weights.

    Parameters
    ----------
    net : Module
        Left unchanged.
    layers : mapping of str to IndexedLayer
        Its compressible layers.
    device : torch.device
        Where the copy is evaluated.

    Attributes
    ----------
    net : Module
        The copy, in eval mode.
    """

    def __init__(
        self, net: nn.Module, layers: Mapping[str, IndexedLayer], device: torch.device
    ) -> None:
        self.net = copied(net).eval().requires_grad_(False).to(device)
        self._layers = layers
        self._weights = compressible(self.net)
        self._written: dict[str, Plan | None] = dict.fromkeys(layers)

    def outdated(self, plans: Mapping[str, Plan]) -> list[str]:
        """Name the layers whose weights differ from `plans`, in the network's order."""
        return [name for name, plan in plans.items() if self._written[name] is not plan]

    def write(self, name: str, plan: Plan) -> None:
        """Rewrite one layer's weights."""
        self._written[name] = None
        weight = self._weights[name].data
        source = self._layers[name].source
        if weight.dtype == torch.float32 and weight.is_contiguous() and weight.device.type == "cpu":
            plan.write(source, weight)
        else:
            weight.copy_(_written(plan, source))
        self._written[name] = plan


def _written(plan: Plan, source: Tensor) -> Tensor:
    scratch = torch.empty_like(source)
    plan.write(source, scratch)
    return scratch
