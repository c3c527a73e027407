"""Choosing a network by name, with its published weights or random ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ipywidgets import Dropdown, HBox

from explorer import zoo
from explorer.codec.model import CompressedModel
from explorer.library import open_model
from explorer.reproduce.bundled import bundled
from explorer.zoo.lenets import LENETS

Loaded = Callable[[Any], None]
Failed = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Finished:
    """A compressed network that comes with the package.

    Attributes
    ----------
    name : str
        Of the file.
    model : CompressedModel
    origin : zoo.Loaded
        The network that it was made of, and its data.
    """

    name: str
    model: CompressedModel
    origin: zoo.Loaded


class ModelPicker:
    """Two pickers, name and weights; the network is loaded in the background.

    Parameters
    ----------
    name : str
        The network that is shown already.
    started, loaded, failed : callable
        Called with a message, with what `zoo.load` returned, or with an error in
        words; `loaded` and `failed` from the background thread.
    finished : callable
        Called with a `Finished` from the background thread.
    trained : bool
        Whether the network that is shown has trained weights.

    Attributes
    ----------
    widget : HBox
    """

    def __init__(
        self,
        name: str,
        started: Failed,
        loaded: Loaded,
        failed: Failed,
        finished: Callable[[Finished], None],
        trained: bool = True,
    ) -> None:
        self._started, self._loaded, self._failed = started, loaded, failed
        self._finished = finished
        self._shown = name
        self._thread: threading.Thread | None = None
        plain = [(each, each) for each in zoo.catalog()]
        files = [(f"{each}, finished", each) for each in bundled()]
        n_first = len(LENETS)
        options = plain[:n_first] + files + plain[n_first:]
        self._name = Dropdown(description="Network", options=options, value=name)
        self._name.add_class("ex-model")
        self._weights = Dropdown(description="Weights", options=["trained", "random"])
        self._weights.value = "trained" if trained else "random"
        self._weights.add_class("ex-weights")
        for picker in (self._name, self._weights):
            picker.observe(lambda _change: self._chosen(), "value")
        self.widget = HBox([self._name, self._weights])
        self.widget.add_class("ex-picker")

    def _chosen(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            self._failed("still loading the last choice; choose again in a moment")
            return
        name = self._name.value
        weights = "default" if self._weights.value == "trained" else None
        self._started(f"Loading {name}\N{HORIZONTAL ELLIPSIS}")
        self._thread = threading.Thread(target=self._load, args=(name, weights), daemon=True)
        self._thread.start()

    def _load(self, name: str, weights: str | None) -> None:
        try:
            if name in bundled():
                small = open_model(name)
                self._finished(Finished(name, small, zoo.load(small.network)))
            else:
                self._loaded(zoo.load(name, weights=weights))
        except Exception as error:
            self._failed(f"{name} could not be loaded: {error}")

    def close(self) -> None:
        """Release the widgets."""
        for widget in (self._name, self._weights, self.widget):
            widget.close()
