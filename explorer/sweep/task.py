"""One recipe to measure, as it travels to a worker, and what the worker does with it."""

from __future__ import annotations

import io
import os
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from explorer.compress.networks.recipe import Recipe
from explorer.measure.metric import Metric
from explorer.sweep.measurement import Measurement, Stopped
from explorer.sweep.point import Point
from explorer.torchvision_import import import_torchvision

KEPT_SUBJECTS = 2
Loader = Callable[[], Any]


@dataclass(frozen=True)
class Address:
    """Where a worker finds the network and its data, which travel once and not with each recipe.

    `home`: under which the sweep's own process holds them. `content`: their hash, under which a
    worker keeps them. `path`: a file of them, for workers that see it; "" for none. `loader`:
    returns network and data on the worker, as ``load`` of the catalog does. `saliency`: whether
    recipes go by second derivatives. `torchvision`: whether the network or its data may hold
    classes of torchvision. `metric`: what judges in place of the data, beside a `loader`.
    """

    home: str
    content: str
    path: str = ""
    loader: Loader | None = None
    saliency: bool = False
    torchvision: bool = False
    metric: Metric | None = None


@dataclass(frozen=True)
class Task:
    """One recipe to measure.

    `key`: of the point. `parcel`: network and data, for a worker that has said it lacks them; else
    empty.
    """

    address: Address
    key: str
    recipe: Recipe
    parcel: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Lacking:
    """A worker's answer where it does not have the network.

    `worker`: which process says so. `reason`: what went wrong with the last way it tried; "" where
    nothing did.
    """

    worker: str
    reason: str = ""


class Shelf:
    """The networks that a process holds for sweeps: its own, and the latest sent to it."""

    def __init__(self) -> None:
        self._own: dict[str, Measurement] = {}
        self._sent: OrderedDict[str, Measurement] = OrderedDict()
        self._lock = threading.Lock()

    def lay(self, home: str, subject: Measurement) -> None:
        """Hold a sweep's own network until `clear`."""
        with self._lock:
            self._own[home] = subject

    def clear(self, home: str) -> None:
        """Let go of a sweep's own network."""
        with self._lock:
            self._own.pop(home, None)

    def find(self, task: Task) -> Measurement | Lacking:
        """Return the network of a task, fetching it in the ways that the task names."""
        address = task.address
        own = self._own.get(address.home)
        if own is not None:
            return own
        with self._lock:
            found = self._sent.pop(address.content, None) or _fetched(task)
            if isinstance(found, Measurement):
                self._sent[address.content] = found
                if len(self._sent) > KEPT_SUBJECTS:
                    self._sent.popitem(last=False)
            return found


SHELF = Shelf()


def run_task(task: Task) -> Point | Lacking | None:
    """Measure a recipe, on a worker. Returns: none where the sweep was stopped meanwhile."""
    subject = SHELF.find(task)
    if isinstance(subject, Lacking):
        return subject
    try:
        return subject.point(task.key, task.recipe)
    except Stopped:
        return None


def pack(subject: Measurement, path: Path, *, saliency: bool) -> None:
    """Write a network, its data and, if wanted, its saliency to a file for the sweep's workers.

    Raises ValueError if they cannot be sent to another process.
    """
    parts = {
        "net": subject.net,
        "data": subject.data,
        "input_shape": subject.input_shape,
        "saliency": subject.saliency() if saliency else None,
        "metric": subject.metric,
    }
    try:
        torch.save(parts, path)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(
            f"net, data or metric cannot be sent to worker processes ({error}): define their "
            "classes and functions at the top of a module that workers can import, or sweep in "
            "threads"
        ) from error


def _fetched(task: Task) -> Measurement | Lacking:
    """Make the network of a task, in a worker of its own, which computes on one core."""
    torch.set_num_threads(1)
    try:
        if task.address.torchvision:
            with suppress(ImportError):
                import_torchvision()
        if task.parcel:
            return _unpacked(io.BytesIO(task.parcel), mapped=False)
        if task.address.loader is not None:
            return _loaded(task.address, task.address.loader)
        if task.address.path and Path(task.address.path).is_file():
            return _unpacked(task.address.path, mapped=True)
    except Exception as error:
        return Lacking(_me(), f"{type(error).__name__}: {error}")
    return Lacking(_me())


def _unpacked(source: Any, *, mapped: bool) -> Measurement:
    """Rebuild what `pack` wrote; only ever bytes of the sweep's own, named by its own task."""
    return Measurement(**torch.load(source, map_location="cpu", weights_only=False, mmap=mapped))


def _loaded(address: Address, loader: Loader) -> Measurement | Lacking:
    """Load network and data, and see that they are the ones that the sweep is about."""
    net, data = loader()
    subject = Measurement(net, data, metric=address.metric)
    if content_key(subject, saliency=address.saliency) == address.content:
        return subject
    return Lacking(_me(), "loader: gives another network, or other data, than the sweep has")


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def content_key(subject: Measurement, *, saliency: bool) -> str:
    """Return the hash under which workers keep a network with its data."""
    tune = subject.tune_key if saliency else ""
    return f"{subject.network_key} {subject.data_key} {tune} {subject.input_shape}"
