"""Choosing a network by name, with its published weights or random ones."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ipywidgets import Dropdown, HBox

from explorer import zoo
from explorer.closing import close_all
from explorer.controls.help_text import explain
from explorer.panels.opening import Opened, open_network
from explorer.reproduce.table import bundled
from explorer.zoo.architectures import BUNDLED

_WEIGHTS = (("Trained", "trained"), ("Random", "random"))
Failed = Callable[[str], None]


class ModelPicker:
    """Two pickers, name and weights; the network is loaded in the background.

    Parameters
    ----------
    name : str
        The network that is shown already.
    started, opened, failed : callable
        Called with a message, with an `Opened`, or with an error in words; `opened` and
        `failed` from the background thread.
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
        opened: Callable[[Opened], None],
        failed: Failed,
        trained: bool = True,
    ) -> None:
        self._started, self._opened, self._failed = started, opened, failed
        self._is_told = False
        self._thread: threading.Thread | None = None
        plain = [(each, each) for each in zoo.catalog()]
        files = [(f"{each}, finished", each) for each in bundled()]
        n_first = len(BUNDLED)
        options = plain[:n_first] + files + plain[n_first:]
        self._name = Dropdown(description="Network", options=options, value=name)
        explain(self._name, "The network to compress; those marked finished are compressed files.")
        self._name.add_class("ex-model")
        self._weights = Dropdown(description="Weights", options=_WEIGHTS)
        explain(self._weights, "Trained weights, or random ones: a control that learned nothing.")
        self._weights.value = "trained" if trained else "random"
        self._weights.add_class("ex-weights")
        for picker in (self._name, self._weights):
            picker.observe(lambda _change: self._chosen(), "value")
        self.widget = HBox([self._name, self._weights])
        self.widget.add_class("ex-picker")
        self._shown = name

    def show(self, name: str, weights: str) -> None:
        """Show which network is on the page, where it is one that can be chosen."""
        if name not in {value for _, value in self._name.options}:
            return
        self._shown = name
        self._is_told = True
        try:
            self._name.value = name
            self._weights.value = "random" if weights == "random" else "trained"
        finally:
            self._is_told = False

    def _chosen(self) -> None:
        if self._is_told:
            return
        if self._thread is not None and self._thread.is_alive():
            self._failed("still loading the last choice; choose again in a moment")
            return
        name = self._name.value
        weights = "random" if self._weights.value == "random" else "default"
        self._started(f"Loading {name}\N{HORIZONTAL ELLIPSIS}")
        self._thread = threading.Thread(target=self._load, args=(name, weights), daemon=True)
        self._thread.start()

    def _load(self, name: str, weights: str) -> None:
        try:
            self._opened(open_network(name, "default" if name in bundled() else weights))
        except Exception as error:
            cure = ""
            if isinstance(error, zoo.WeightsUnavailable):
                cure = " On this page, choose the weights random."
            told = f"{name} could not be loaded: {in_words(error)}{cure}"
            self._failed(f"{told} The page still shows {self._shown}.")

    def close(self) -> None:
        """Release the widgets."""
        close_all(self._name, self._weights, self.widget)
