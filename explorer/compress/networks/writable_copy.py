"""WritableCopy: a copy of a network whose weights are rewritten in place."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plain import copied
from explorer.compress.networks.plan import Plan
from explorer.compress.networks.recipe import Steps
from explorer.compress.networks.weights import compressible


class WritableCopy:
    """A copy of a network, in eval mode, whose compressible weights follow plans.

    `net`: left unchanged. `layers`: its compressible layers. `device`: where the copy is evaluated;
    with None it shares all tensors of `net` but those of layers that were rewritten.
    """

    def __init__(
        self, net: nn.Module, layers: Mapping[str, IndexedLayer], device: torch.device | None = None
    ) -> None:
        self._layers = layers
        self._sources = {name: weight.detach() for name, weight in compressible(net).items()}
        self._is_shared = device is None
        self.net = self._sharing(net) if device is None else _whole(net, device)
        self._weights = compressible(self.net)
        self._buffers: dict[str, Tensor] = {}
        self._written: dict[str, Plan | None] = dict.fromkeys(layers)

    def _sharing(self, net: nn.Module) -> nn.Module:
        own = {name: nn.Parameter(t, requires_grad=False) for name, t in self._sources.items()}
        memo: dict[int, object] = {id(p): p for p in net.parameters()}
        memo |= {id(weight): own[name] for name, weight in compressible(net).items()}
        made = copied(net, memo).eval()
        for name, weight in compressible(made).items():
            if weight is not own[name]:
                raise ValueError(
                    f"net: the weight of layer {name!r} is computed from other tensors (a "
                    "parametrization?); make it a plain parameter first"
                )
        return made

    def outdated(self, plans: Mapping[str, Plan]) -> list[str]:
        """Name the layers whose weights differ from `plans`, in the network's order."""
        return [name for name, plan in plans.items() if self._written[name] is not plan]

    def write_all(self, steps: Mapping[str, Steps], plans: Mapping[str, Plan]) -> None:
        """Bring all layers up to their plans; in a copy that shares, those without steps share."""
        for name in self.outdated(plans):
            if steps[name] or not self._is_shared:
                self.write(name, plans[name])
            else:
                self._weights[name].data = self._sources[name]
                self._written[name] = plans[name]

    def write(self, name: str, plan: Plan) -> None:
        """Rewrite one layer's weights."""
        self._written[name] = None
        weight = self._weights[name]
        if self._is_shared:
            weight.data = self._buffer(name)
        _write(plan, self._layers[name].source, weight.data)
        self._written[name] = plan

    def _buffer(self, name: str) -> Tensor:
        if name not in self._buffers:
            original = self._sources[name]
            self._buffers[name] = torch.empty(original.shape, dtype=original.dtype)
        return self._buffers[name]


def _whole(net: nn.Module, device: torch.device) -> nn.Module:
    return copied(net).eval().requires_grad_(False).to(device)


def _write(plan: Plan, source: Tensor, weight: Tensor) -> None:
    """Write a plan's weights from `source`, float32, into `weight`, of any type and place."""
    if weight.dtype == torch.float32 and weight.is_contiguous() and weight.device.type == "cpu":
        plan.write(source, weight)
        return
    scratch = torch.empty_like(source)
    plan.write(source, scratch)
    weight.copy_(scratch)
