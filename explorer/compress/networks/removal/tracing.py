"""Where each neuron's channel goes in a network, by torch-pruning's dependency graph."""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from collections.abc import Callable, Set
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from explorer.compress.networks.removal.coupling import (
    NO_OBSTACLE,
    Coupling,
    Slot,
    components,
    couple,
    is_layer,
    n_channels,
)
from explorer.compress.networks.weights import held_tensors

_TRACING = threading.Lock()


def traced(net: nn.Module, example: Tensor) -> Coupling:
    """Follow every neuron of a network to wherever its channel goes.

    `net`: a copy of the network, in eval mode; used up. `example`: shape (n, ...). Raises Exception
    whatever torch-pruning or the network raises.

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


OUTPUTS = "its outputs are the network's classes"
UNFOLLOWED = "its channels are mixed with others in a way that cannot be followed"
MAPPING_ERRORS = (ArithmeticError, LookupError, TypeError)


def walk(graph: Any, net: nn.Module, broken: Set[Any]) -> Coupling:
    """Follow every output channel of a network along a dependency graph.

    `graph`: built for `net`. `broken`: nodes whose channels the graph does not know.
    """
    return _Walk(graph, net, broken).coupling()


class _Walk:
    """Numbers every output channel, and carries the numbers along the graph's edges."""

    def __init__(self, graph: Any, net: nn.Module, broken: Set[Any]) -> None:
        from torch_pruning._helpers import _HybridIndex
        from torch_pruning.ops import OPTYPE

        self.graph, self.broken = graph, broken
        self.kinds, self.index = OPTYPE, _HybridIndex
        self.order = [name for name, _ in net.named_modules()]
        self.names: dict[Any, str] = {module: name for name, module in net.named_modules()}
        self.names |= {parameter: name for name, parameter in net.named_parameters()}
        self.state = held_tensors(net)
        self.owners = Counter(id(p) for m in net.modules() for p in m.parameters(recurse=False))
        layers = [module for module in net.modules() if is_layer(module)]
        self.most = max(n_channels(layer, side) for layer in layers for side in ("in", "out"))
        self.found: dict[tuple[Any, str], np.ndarray] = {}
        self.pairs: list[tuple[np.ndarray, np.ndarray]] = []
        self.obstacles: list[tuple[tuple[int, str], np.ndarray]] = []
        self.n_numbers = 0

    def coupling(self) -> Coupling:
        for module, node in list(self.graph.module2node.items()):
            if is_layer(module):
                size = n_channels(module, "out")
                numbers = np.arange(self.n_numbers, self.n_numbers + size)
                self.n_numbers += size
                act = self.graph.get_pruner_of_module(module).prune_out_channels
                self._spread(node, act, np.arange(size), numbers)
        self._join_groups()
        labels = components(self.n_numbers, self.pairs)
        obstacles = [(reason, labels[numbers]) for reason, numbers in self.obstacles]
        n_parts = int(labels.max(initial=-1)) + 1
        return couple(self._slots(labels), obstacles, n_parts, self.order)

    def _spread(self, node: Any, act: Callable, idx: np.ndarray, numbers: np.ndarray) -> None:
        """Carry the numbers of channels `idx` on from where `act` prunes `node`."""
        stack = [(node, act, idx, numbers)]
        while stack:
            node, act, idx, numbers = stack.pop()
            if idx.min() < 0 or idx.max() >= self._size(node, act.__name__):
                self.obstacles.append(((4, UNFOLLOWED), numbers))
                continue
            idx, numbers = self._mark(node, act.__name__, idx, numbers)
            reason = self._obstacle(node, act.__name__)
            if reason != NO_OBSTACLE:
                self.obstacles.append((reason, numbers))
            for edge in node.dependencies if idx.size else ():
                if edge.is_triggered_by(act):
                    there, which = self._mapped(edge, idx, numbers)
                    if there.size:
                        stack.append((edge.target, edge.handler, there, numbers[which]))

    def _mark(
        self, node: Any, act: str, idx: np.ndarray, numbers: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Write the numbers down; return the channels that had none."""
        known = self.found.get((node, act), np.empty(0, np.int64))
        missing = int(idx.max()) + 1 - known.size
        known = np.append(known, np.full(max(0, missing), -1))
        self.found[node, act] = known
        new = known[idx] < 0
        known[idx[new]] = numbers[new]
        self.pairs.append((known[idx], numbers))
        fresh, first = np.unique(idx[new], return_index=True)
        return fresh, numbers[new][first]

    def _mapped(
        self, edge: Any, idx: np.ndarray, numbers: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the channels at the other end of an edge, and which of `idx` each comes from."""
        if edge.index_mapping[0] is None and edge.index_mapping[1] is None:
            return idx, np.arange(idx.size)
        items = [self.index(idx=int(i), root_idx=k) for k, i in enumerate(idx)]
        try:
            for mapping in edge.index_mapping:
                items = items if mapping is None else mapping(items)
            pairs = np.array([(i.idx, i.root_idx) for i in items], np.int64).reshape(-1, 2)
        except MAPPING_ERRORS:
            self.obstacles.append(((4, UNFOLLOWED), numbers))
            return idx[:0], idx[:0]
        return pairs[:, 0], pairs[:, 1]

    def _obstacle(self, node: Any, act: str) -> tuple[int, str]:
        """Return why the channels that reach a node cannot go, and how much that tells."""
        kinds, module = self.kinds, node.module
        name = self.names.get(module, "")
        reason = NO_OBSTACLE
        if not node.outputs and self._side(node, act) != "in":
            reason = 0, OUTPUTS
        elif node in self.broken:
            reason = 4, UNFOLLOWED
        elif node.type in (kinds.LN, kinds.GN):
            words = f"{name} normalizes all channels together"
            reason = 1, f"{words}: none can go without changing the others"
        elif node.type in (kinds.MHA, kinds.LSTM, kinds.EMBED, kinds.CUSTOMIZED):
            reason = 2, f"coupled with {name} ({type(module).__name__}), which keeps its size"
        elif is_layer(module):
            reason = self._layer_obstacle(node, name)
        return reason

    def _layer_obstacle(self, node: Any, name: str) -> tuple[int, str]:
        layer = node.module
        odd = node.type == self.kinds.DEPTHWISE_CONV and layer.in_channels != layer.out_channels
        if odd or (isinstance(layer, _ConvTransposeNd) and layer.groups > 1):
            return 3, f"the groups of channels of {name} must stay equal"
        if self._key(name, "weight") not in self.state:
            return 5, f"the weight of {name} is computed from other tensors"
        if self.owners[id(layer.weight)] > 1:
            return 5, f"{name} shares its weight with another layer"
        return NO_OBSTACLE

    def _side(self, node: Any, act: str) -> str:
        if node.type in (self.kinds.CONV, self.kinds.LINEAR):
            return "out" if act == "prune_out_channels" else "in"
        return "both"

    def _join_groups(self) -> None:
        """Couple channels at the same place of each group, so that groups stay equal."""
        for module, node in self.graph.module2node.items():
            if not isinstance(module, _ConvNd) or module.groups == 1:
                continue
            if node.type == self.kinds.DEPTHWISE_CONV:
                continue
            inside = self.found.get((node, "prune_in_channels"), np.empty(0, np.int64))
            inside = np.append(inside, np.full(module.in_channels - inside.size, -1))
            rows = self.found[node, "prune_out_channels"].reshape(module.groups, -1)
            if module.groups == module.in_channels:
                self._join(np.append(inside[:, None], rows, axis=1))
            else:
                self._join(rows.T)
                self._join(inside.reshape(module.groups, -1).T)

    def _join(self, table: np.ndarray) -> None:
        """Couple the numbers in each row of a table."""
        for column in table.T[1:]:
            both = (column >= 0) & (table[:, 0] >= 0)
            self.pairs.append((table[both, 0], column[both]))

    def _slots(self, labels: np.ndarray) -> list[Slot]:
        slots = []
        for (node, act), numbers in self.found.items():
            side = self._side(node, act)
            if axes := self._axes(node, side):
                parts = np.full(self._size(node, act), -1)
                parts[: numbers.size] = np.where(numbers < 0, -1, labels[numbers])
                produces = is_layer(node.module) and side != "in"
                slots.append(Slot(self.names[node.module], side, produces, parts, axes))
        return slots

    def _size(self, node: Any, act: str) -> int:
        """Return how many channels one side of a node has, or may have at most."""
        side = self._side(node, act)
        if is_layer(node.module):
            return n_channels(node.module, side)
        axes = self._axes(node, side)
        return self.state[axes[0][0]].shape[axes[0][1]] if axes else self.most

    def _axes(self, node: Any, side: str) -> tuple[tuple[str, int], ...]:
        kinds, module = self.kinds, node.module
        if node.type == kinds.PARAMETER:
            return ((self.names[module], node.pruning_dim % module.ndim),)
        if not is_layer(module) and node.type not in (kinds.BN, kinds.IN, kinds.PRELU):
            return ()
        if node.type == kinds.PRELU and module.num_parameters == 1:
            return ()
        if side == "in" and 1 < n_channels(module, "in") == getattr(module, "groups", 1):
            return ()
        transposed = isinstance(module, _ConvTransposeNd)
        keys = {"weight": int((side == "in") != transposed)}
        if side != "in":
            keys |= {"bias": 0, "running_mean": 0, "running_var": 0}
        named = {self._key(self.names[module], key): axis for key, axis in keys.items()}
        return tuple((key, axis) for key, axis in named.items() if key in self.state)

    @staticmethod
    def _key(name: str, tensor: str) -> str:
        return f"{name}.{tensor}" if name else tensor
