"""What is compressed and judged: the network, or one that it became by losing neurons."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from explorer.compress.networks.compressed import untouched_tensors
from explorer.compress.networks.coverage import coverage
from explorer.compress.networks.layer import IndexedLayer
from explorer.compress.networks.plain import folded_layers
from explorer.compress.networks.plan import Plan
from explorer.compress.networks.recipe import Recipe, Steps
from explorer.compress.networks.steps import Reduction
from explorer.measure.anatomy import anatomy, layer_macs
from explorer.measure.figures import Network, figures
from explorer.measure.result import Result
from explorer.session.evaluation import Evaluation
from explorer.session.evaluator import Evaluator
from explorer.session.preparation import Preparation


class Subject:
    """A network with its indexes, and the copy of it that is evaluated.

    Parameters
    ----------
    net : Module
        Left unchanged.
    layers : mapping of str to IndexedLayer
        Its compressible layers.
    input_shape : tuple of int or None
        One input without the batch; None where it is unknown, and with it what is multiplied.
    evaluation : Evaluation
        How it is judged; its own, for it keeps activations.
    device : torch.device
        Where it is evaluated.
    origin : Subject, optional
        The network that this one was before it lost neurons or was trained further.
    reduction : Reduction, optional
        How it lost them; None where it was trained further.
    """

    def __init__(
        self,
        net: nn.Module,
        layers: Mapping[str, IndexedLayer],
        input_shape: tuple[int, ...] | None,
        evaluation: Evaluation,
        device: torch.device,
        origin: Subject | None = None,
        reduction: Reduction | None = None,
    ) -> None:
        self.net = net
        self.layers = layers
        self.reduction = reduction
        name = getattr(net, "network_name", "")
        before: Network | None = origin.network if origin else None
        found = anatomy(net, input_shape) if input_shape else None
        self.network: Network = Network(
            layers,
            untouched_tensors(net),
            found,
            layer_macs(net, found) if found else {},
            name,
            before,
            reduction is None,
            coverage(net),
            folded_layers(net),
        )
        self.preparation = Preparation(layers)
        self.evaluator = Evaluator(net, layers, evaluation, device)

    def plan(self, recipe: Recipe, steps: Mapping[str, Steps]) -> tuple[dict[str, Plan], Result]:
        """Return the plan of every layer, and the figures of all.

        Parameters
        ----------
        recipe : Recipe
        steps : mapping of str to tuple of Setting
            Resolved steps of this subject's layers.
        """
        plans = {name: layer.plan(steps[name]) for name, layer in self.layers.items()}
        notes = self.reduction.notes if self.reduction else {}
        return plans, figures(self.network, recipe, steps, plans, notes)
