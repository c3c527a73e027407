"""PrefixCache: activations before the first layer that changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from explorer.compress.networks.forward import Inputs, call
from explorer.stopping import never

_ONE_AT_A_TIME = threading.Lock()


class _OwnThread(fx.Tracer):
    """Records what its own thread calls."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Record a call, or make it where it is another thread's."""
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """Record that an attribute is read, or give it where another thread reads it."""
        if threading.get_ident() != self._thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)


def trace(net: nn.Module) -> fx.GraphModule | None:
    """Trace a network; None where its control flow depends on its values."""
    with _ONE_AT_A_TIME:
        tracer = _OwnThread()
        try:
            graph = tracer.trace(net)
            return fx.GraphModule(tracer.root, graph)
        except Exception:
            return None


BUDGET_BYTES = 1_000_000_000
AGREEMENT = 1e-3


class Stopped(Exception):
    """An evaluation that was given up for a newer one."""


@dataclass(frozen=True)
class Kept:
    """What one batch needs to go on from a node of the graph.

    `cut`: number of the node. `before`: what the layers before the node held. `values`: live values
    by node.
    """

    cut: int
    before: tuple[Any, ...]
    values: dict[fx.Node, Any]

    @property
    def n_bytes(self) -> int:
        """Memory of the values."""
        tensors = [value for value in self.values.values() if isinstance(value, Tensor)]
        return sum(t.numel() * t.element_size() for t in tensors)


class PrefixCache:
    """Runs a network batch by batch, from the first layer that changed.

    The network is traced once with torch.fx; one that cannot be traced is simply
    called. Results are those of calling the network: the same operations run in the
    same order on the same values.

    `net`: in eval mode; its weights may be rewritten in place between runs. `layers`: names of the
    layers whose weights are. `budget_bytes`: most memory that kept activations may take; batches
    beyond it are run whole. `n_bytes`: memory of all kept activations.
    """

    def __init__(
        self, net: nn.Module, layers: Sequence[str], budget_bytes: int = BUDGET_BYTES
    ) -> None:
        self._net = net
        self._budget = budget_bytes
        self._graph = trace(net)
        self._nodes = list(self._graph.graph.nodes) if self._graph else []
        self._first = {name: _first_use(self._nodes, _users(net, name)) for name in layers}
        self._state: Mapping[str, Any] = {}
        self._target = 0
        self._kept: dict[tuple[int, int], Kept] = {}
        self.n_bytes = 0

    def begin(self, state: Mapping[str, Any]) -> None:
        """Start another evaluation.

        `state`: what each layer holds now; a layer changed if it held another object before.
        """
        changed = [n for n, first in self._first.items() if state[n] is not self._state.get(n)]
        if changed:
            cut = min(self._first[name] for name in changed)
            self._target = cut if cut > min(self._first.values()) else 0
        self._state = dict(state)

    def check(self, inputs: Inputs) -> None:
        """Compare the traced network with the network on some inputs; call it where they differ.

        A trace does not see what a network does to another view of a tensor it writes into.
        """
        if self._graph is None or not isinstance(inputs, Tensor):
            return
        with torch.inference_mode():
            runner = _Runner(self._graph, None, {}, never)
            traced, called = runner.run(inputs.clone()), self._net(inputs.clone())
        if not _agree(traced, called):
            self._graph = None

    def run(self, batch: tuple[int, int], inputs: Inputs, stale: Callable[[], bool] = never) -> Any:
        """Run one batch and return what the network returns.

        `batch`: its first sample and its size; the same numbers must always come with the same
        inputs. `inputs`: the cache's own: the network may write into them. `stale`: asked before
        each operation. Raises Stopped as soon as `stale` says True.
        """
        if self._graph is None or not isinstance(inputs, Tensor):
            return call(self._net, inputs)
        kept = self._kept.get(batch)
        if kept is not None and not _same(kept.before, self._before(kept.cut)):
            self._drop(batch)
            kept = None
        start = {}
        if kept is not None:
            start = dict.fromkeys(self._nodes[: kept.cut]) | kept.values
        wanted = self._target > (kept.cut if kept else 0)
        runner = _Runner(
            self._graph,
            self._nodes[self._target] if wanted else None,
            kept.values if kept else {},
            stale,
        )
        output = runner.run(inputs, initial_env=start)
        if runner.live is not None:
            self._drop(batch)
            self._keep(batch, Kept(self._target, self._before(self._target), runner.live))
        return output

    def _before(self, cut: int) -> tuple[Any, ...]:
        return tuple(self._state[name] for name, first in self._first.items() if first < cut)

    def _keep(self, batch: tuple[int, int], kept: Kept) -> None:
        if self.n_bytes + kept.n_bytes <= self._budget:
            self._kept[batch] = kept
            self.n_bytes += kept.n_bytes

    def _drop(self, batch: tuple[int, int]) -> None:
        kept = self._kept.pop(batch, None)
        self.n_bytes -= kept.n_bytes if kept else 0


class _Runner(fx.Interpreter):
    """Runs a graph until it is stale, and notes the live values at one node.

    Values that are kept, from before or for later, are copied ahead of an operation
    that writes into them.
    """

    def __init__(
        self,
        graph: fx.GraphModule,
        node: fx.Node | None,
        kept: dict[fx.Node, Any],
        stale: Callable[[], bool],
    ) -> None:
        super().__init__(graph)
        self._node = node
        self._kept = kept
        self._stale = stale
        self.live: dict[fx.Node, Any] | None = None

    def run_node(self, n: fx.Node) -> Any:
        """Run one node; note what is alive before the chosen one."""
        if self._stale():
            raise Stopped
        if n is self._node:
            self.live = {node: value for node, value in self.env.items() if value is not None}
        if n.all_input_nodes and _may_write(self.module, n):
            for written in n.all_input_nodes:
                for values in (self._kept, self.live or {}):
                    _save_from(self.env[written], values)
        return super().run_node(n)


def _may_write(graph: nn.Module, node: fx.Node) -> bool:
    """Whether an operation may write into its input."""
    if node.op == "call_module":
        return bool(getattr(graph.get_submodule(str(node.target)), "inplace", False))
    name = str(getattr(node.target, "__name__", node.target))
    flagged = "out" in node.kwargs or any(
        value is True for value in (*node.args, *node.kwargs.values())
    )
    return flagged or (name.endswith("_") and not name.endswith("__"))


def _save_from(written: Any, values: dict[fx.Node, Any]) -> None:
    """Copy those of `values` that share memory with what is about to be written."""
    if not isinstance(written, Tensor):
        return
    memory = written.untyped_storage().data_ptr()
    for node, value in values.items():
        if isinstance(value, Tensor) and value.untyped_storage().data_ptr() == memory:
            values[node] = value.clone()


def _users(net: nn.Module, layer: str) -> list[str]:
    """Names of the modules that hold a layer's weight: several, where it is shared."""
    weight = net.get_submodule(layer).weight
    return [
        name
        for name, module in net.named_modules(remove_duplicate=False)
        if any(parameter is weight for parameter in module.parameters(recurse=False))
    ]


def _first_use(nodes: list[fx.Node], modules: list[str]) -> int:
    """Find the number of the first node that runs one of some modules; 0 where none does."""
    for number, node in enumerate(nodes):
        if node.op not in ("call_module", "get_attr"):
            continue
        target = str(node.target)
        for name in modules:
            if target == name or name.startswith(f"{target}.") or target.startswith(f"{name}."):
                return number
    return 0


def _agree(one: Any, other: Any) -> bool:
    """Whether two outputs hold the same numbers."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.allclose(
            one.float(), other.float(), rtol=AGREEMENT, atol=AGREEMENT, equal_nan=True
        )
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_agree(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_agree, one, other))
    return type(one) is type(other)


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
