"""Copies of a network whose weights are rewritten in place."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from explorer.compress.networks.copied import copied
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plan import Plan
from explorer.compress.networks.recipe import Steps
from explorer.compress.networks.weights import compressible


class WorkingCopy:
    """A copy of the network with kept buffers for its compressible weights.

    `net`: left unchanged. `layers`: its compressible layers. `device`: where the copy is evaluated.
    `net`: the copy, in eval mode.
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


class ThinCopy:
    """A copy of a network that takes memory only for the layers that are rewritten.

    `net`: left unchanged; its parameters are shared. `layers`: its compressible layers. `net`: the
    copy, in eval mode. Raises ValueError if a weight is no parameter of its layer but computed from
    others.
    """

    def __init__(self, net: nn.Module, layers: Mapping[str, IndexedLayer]) -> None:
        self._layers = layers
        self._sources = {name: weight.detach() for name, weight in compressible(net).items()}
        memo: dict[int, object] = {id(p): p for p in net.parameters()}
        own = {name: nn.Parameter(t, requires_grad=False) for name, t in self._sources.items()}
        memo |= {id(weight): own[name] for name, weight in compressible(net).items()}
        self.net = copied(net, memo).eval()
        self._weights = compressible(self.net)
        for name, weight in self._weights.items():
            if weight is not own[name]:
                raise ValueError(
                    f"net: the weight of layer {name!r} is computed from other tensors (a "
                    "parametrization?); make it a plain parameter first"
                )
        self._buffers: dict[str, Tensor] = {}
        self._written: dict[str, Plan | None] = dict.fromkeys(layers)

    def write(self, steps: Mapping[str, Steps], plans: Mapping[str, Plan]) -> None:
        """Rewrite layers whose plan changed; those without steps share the original."""
        for name, plan in plans.items():
            if self._written[name] is not plan:
                self._written[name] = None
                self._weights[name].data = (
                    self._rewritten(name, plan) if steps[name] else self._sources[name]
                )
                self._written[name] = plan

    def _rewritten(self, name: str, plan: Plan) -> Tensor:
        source = self._layers[name].source
        original = self._sources[name]
        if name not in self._buffers:
            self._buffers[name] = torch.empty(original.shape, dtype=original.dtype)
        kept = self._buffers[name]
        if kept.dtype == torch.float32:
            plan.write(source, kept)
        else:
            scratch = torch.empty_like(source)
            plan.write(source, scratch)
            kept.copy_(scratch)
        return kept
