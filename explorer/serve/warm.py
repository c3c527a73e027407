"""What every page uses, used once before kernels are forked, on one thread."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["PREPARED", "use_once"]

PREPARED = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipywidgets:register_comm_target",
    "explorer.page",
    "explorer.zoo:catalog",
    "explorer.serve.warm:use_once",
)
NETWORK = "lenet-300-100"


def use_once() -> None:
    """Compress a bundled network, so that compiled loops and libraries are loaded."""
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    explorer: Any = import_module("explorer")
    net, data = explorer.load(NETWORK)
    recipe = [explorer.Prune(sparsity=0.5), explorer.Share(n_clusters=32)]
    small = explorer.compress(net, recipe)
    explorer.evaluate(small.restore(), data.eval)
