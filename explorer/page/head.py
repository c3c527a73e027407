"""Head: network, upload, layer on screen, tour."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipywidgets import Dropdown, HBox, Widget

from explorer import zoo
from explorer.closing import close_all
from explorer.controls.help_text import explain
from explorer.errors import error_message
from explorer.page.open import Again, Opened, open_network
from explorer.page.upload import UploadPanel
from explorer.reproduce.table import bundled
from explorer.session import Session
from explorer.views.export import TourBox, TourStep
from explorer.views.parts import title
from explorer.views.run_bar import StatusView
from explorer.zoo import Loaded
from explorer.zoo.architectures import BUNDLED

TOUR = (
    TourStep(
        "Five figures",
        "Bytes on disk, accuracy, zeros, operations and energy. They always show the network as "
        "it is compressed now, beside the original.",
        ".ex-strip",
    ),
    TourStep(
        "The recipe and its dials",
        "Steps are applied from top to bottom. Turn a dial, and the network is compressed again "
        "at once. Buttons below add steps; the menu above them changes one layer alone.",
        ".ex-recipe",
    ),
    TourStep(
        "Views by topic",
        "Each tab shows the compressed network from another side. Below every view a sentence "
        "says what to look for.",
        ".ex-tabs > .ex-tab-bar",
    ),
    TourStep(
        "Take it with you",
        "Undo any change, or copy a link that opens this very state. The tab Combine exports "
        "the compressed file; Copy as Python gives the code behind each tab.",
        ".ex-tools",
    ),
)


_WEIGHTS = (("Trained", "trained"), ("Random", "random"))
Failed = Callable[[str], None]


class ModelPicker:
    """Two pickers, name and weights; the network is loaded in the background.

    `name`: the network that is shown already. `started`, `opened`, `failed`: called with a message,
    with an `Opened`, or with an error in words; `opened` and `failed` from the background thread.
    `trained`: whether the network that is shown has trained weights.
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
            told = f"{name} could not be loaded: {error_message(error)}{cure}"
            self._failed(f"{told} The page still shows {self._shown}.")

    def close(self) -> None:
        """Release the widgets."""
        close_all(self._name, self._weights, self.widget)


TITLE = "Compression Explorer"
SUBTITLE = (
    "Turn a dial: the network is really recompressed, and its size, accuracy and weights follow."
)


@dataclass(frozen=True)
class Opening:
    """What the head tells where another network is opened.

    `session`: returns the session that is shown. `named`: called with an `Opened` that its name
    brings back. `nameless`: called with an `Opened` of a file, and with what makes its session
    again.
    """

    session: Callable[[], Session]
    named: Callable[[Opened], None]
    nameless: Callable[[Opened, Again], None]


class Head:
    """Title, network, layer on screen, and tools.

    `status`: says what is under way, and what went wrong. `tools`: undo, redo and the link; they
    belong to whoever made them. `loaded`: offer the networks of the catalog, this one being shown.
    `layer`: the layer on screen.
    """

    def __init__(
        self, opening: Opening, status: StatusView, tools: Widget, loaded: Loaded | None = None
    ) -> None:
        self.picker: ModelPicker | None = None
        if loaded is not None:
            told = (status.work, opening.named, status.fail)
            self.picker = ModelPicker(loaded.name, *told, trained=loaded.trained)
        told_more = (status.work, opening.nameless, status.fail)
        self._upload = UploadPanel(opening.session, *told_more)
        self.layer = Dropdown(description="Layer")
        explain(self.layer, "The layer that histogram, maps, formulas and spectrum show.")
        self.layer.add_class("ex-layer-picker")
        self._title, self._tour = title(TITLE, SUBTITLE), TourBox(TOUR)
        self.widgets = [self._title, *self._choices(), tools, self._tour]

    def _choices(self) -> Sequence[Widget]:
        picker = [] if self.picker is None else [self.picker.widget]
        return [*picker, self._upload.widget, self.layer]

    def name(self, network: str, weights: str) -> None:
        """Show which network is on the page, where it is one that can be chosen."""
        if self.picker is not None:
            self.picker.show(network, weights)

    def stop(self) -> None:
        """End what is being opened."""
        self._upload.close()

    def close(self) -> None:
        """Release the widgets, but for the tools."""
        self.stop()
        if self.picker is not None:
            self.picker.close()
        close_all(self._title, self.layer, self._tour)
