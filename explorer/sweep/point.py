"""Points of a sweep, and the keys that they are kept under."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import CellType
from typing import Any

import torch
from torch import Tensor, nn

from explorer.compress.networks.forward import tensors_of
from explorer.compress.networks.recipe import Recipe
from explorer.measure.accuracy import Accuracy
from explorer.measure.data import batches
from explorer.measure.metric import Metric, Score


@dataclass(frozen=True)
class Point:
    """One recipe, measured.

    Attributes
    ----------
    key : str
        Hash of the network, the data and the recipe; the same wherever it is computed.
    recipe : Recipe
    size_bytes : int
        Bytes of the compressed file; 0 where the recipe failed before they were known.
    original_bytes : int
        Bytes of every parameter and buffer of the network.
    accuracy : Accuracy, Score or None
        A `Score` where a metric judges. None without data, or where the recipe failed.
    seconds : float
        Of computation, on the worker.
    error_message : str
        Why the recipe failed, in words; "" where it did not.
    """

    key: str
    recipe: Recipe
    size_bytes: int
    original_bytes: int
    accuracy: Accuracy | Score | None
    seconds: float
    error_message: str = ""

    @property
    def compression_ratio(self) -> float:
        """Original bytes / compressed bytes; NaN where the size is not known."""
        return self.original_bytes / self.size_bytes if self.size_bytes else math.nan


@dataclass(frozen=True)
class Progress:
    """How far a sweep has come.

    `done`, `total`: points that are there, those found in the store included, and all of them.
    `n_known`: points found in the store. `remaining_s`: estimated seconds until the last point,
    from those computed so far; NaN before the first.
    """

    done: int
    total: int
    n_known: int
    remaining_s: float

    @classmethod
    def after(cls, elapsed_s: float, done: int, total: int, n_known: int) -> Progress:
        """Estimate from the seconds that the points computed so far have taken together."""
        n_computed = done - n_known
        left = total - done
        remaining = elapsed_s * left / n_computed if n_computed else (math.nan if left else 0.0)
        return cls(done, total, n_known, remaining)


Hear = Callable[[Progress], object]


def unheard(progress: Progress) -> None:
    """Take no notice of progress."""


FORMAT = 1
BATCH = 256
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def network_key(net: nn.Module) -> str:
    """Hash what a network is: its modules as they print, its name, and every tensor.

    Returns: two networks whose code differs in what neither their printed form nor their tensors
    show have the same.
    """
    content = hashlib.blake2b(digest_size=20)
    kind = f"{type(net).__module__}.{type(net).__qualname__}"
    printed = ADDRESS.sub("", repr(net))
    about = (FORMAT, kind, printed, getattr(net, "network_name", ""))
    content.update(repr(about).encode())
    for name, tensor in net.state_dict().items():
        if isinstance(tensor, Tensor):
            content.update(name.encode())
            _add(content, tensor)
    return content.hexdigest()


def data_key(data: Any) -> str:
    """Hash every sample and label of some data, in order; "" for None."""
    if data is None:
        return ""
    content = hashlib.blake2b(digest_size=20)
    for inputs, labels in batches(data, BATCH):
        for tensor in tensors_of(inputs):
            _add(content, tensor)
        _add(content, labels)
    return content.hexdigest()


def metric_key(metric: Metric) -> str:
    """Hash what tells a metric from others: name, unit, direction, and its function's code.

    Returns: two metrics whose functions differ only in objects that they use have the same; give
    them names that differ.
    """
    content = hashlib.blake2b(digest_size=20)
    function = metric.function
    code = getattr(function, "__code__", None)
    parts: list[object] = [
        metric.key,
        getattr(function, "__qualname__", type(function).__qualname__),
    ]
    if code is not None:
        parts += [code.co_code.hex(), code.co_consts, code.co_names]
    content.update(ADDRESS.sub("", repr(parts)).encode())
    for cell in getattr(function, "__closure__", None) or ():
        _add_held(content, cell)
    return f"metric {content.hexdigest()}"


def _add_held(content: Any, cell: CellType) -> None:
    """Take into account what a function holds on to, where that is a tensor or a plain value."""
    held = cell.cell_contents if _is_filled(cell) else None
    if isinstance(held, Tensor):
        _add(content, held)
    elif isinstance(held, (bool, int, float, str)):
        content.update(repr(held).encode())


def _is_filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def point_key(network: str, data: str, recipe: Recipe, tune: str, shape: object) -> str:
    """Return the key of one point.

    `network`, `data`: as `network_key` and `data_key` give them. `tune`: the `data_key` of the
    samples that the recipe tunes on; "" for most recipes. `shape`: one input without the batch,
    where the recipe goes by it; None for most.
    """
    parts = "\n".join((str(FORMAT), network, data, recipe.to_json(), tune, repr(shape)))
    return hashlib.blake2b(parts.encode(), digest_size=20).hexdigest()


def _add(content: Any, tensor: Tensor) -> None:
    plain = tensor.detach().cpu().contiguous().reshape(-1)
    content.update(f"{plain.dtype} {tuple(tensor.shape)}".encode())
    if plain.numel():
        content.update(memoryview(plain.view(torch.uint8).numpy()))
