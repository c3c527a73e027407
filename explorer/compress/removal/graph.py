"""Where each neuron's channel goes in a network, by torch-pruning's dependency graph."""

from __future__ import annotations

import threading
import warnings
from typing import Any

from torch import Tensor, nn

from explorer.compress.removal.groups import Coupling
from explorer.compress.removal.walk import MAPPING_ERRORS, walk

_TRACING = threading.Lock()


def traced(net: nn.Module, example: Tensor) -> Coupling:
    """Follow every neuron of a network to wherever its channel goes.

    Parameters
    ----------
    net : Module
        A copy of the network, in eval mode; used up.
    example : Tensor, shape (n, ...)

    Returns
    -------
    Coupling

    Raises
    ------
    Exception
        Whatever torch-pruning or the network raises.

    References
    ----------
    Fang, Ma, Song, Mi, Wang. "DepGraph: towards any structural pruning". CVPR 2023.
    arXiv:2301.12900.
    """
    from torch_pruning import DependencyGraph

    for parameter in net.parameters():
        parameter.requires_grad_(True)
    graph, broken = DependencyGraph(), set()
    # torch-pruning keeps state in objects that all its graphs share.
    with _TRACING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            graph.build_dependency(net, example, forward_fn=_forward, verbose=False)
        except MAPPING_ERRORS:
            if not hasattr(graph, "module2node"):
                raise
            # The graph is there, but for some nodes it does not know which channel is which.
            broken = _map_nodes(graph)
        return walk(graph, net, broken)


def _forward(net: nn.Module, example: Tensor) -> Any:
    return net(example.clone())


def _map_nodes(graph: Any) -> set[Any]:
    """Map channels node by node; return the nodes where torch-pruning cannot."""
    from torch_pruning.dependency import index_mapping
    from torch_pruning.ops import OPTYPE

    broken = set()
    for node in graph.module2node.values():
        name = f"update_{OPTYPE(node.type).name.lower()}_index_mapping"
        try:
            getattr(index_mapping, name, lambda *_: None)(graph, node)
        except MAPPING_ERRORS:
            broken.add(node)
    return broken
