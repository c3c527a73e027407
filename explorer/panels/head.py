"""The head of the page: which network, which layer, and the tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipywidgets import Dropdown, Widget

from explorer.closing import close_all
from explorer.controls.help_text import explain
from explorer.panels.model_picker import ModelPicker
from explorer.panels.opened_file import Again
from explorer.panels.opening import Opened
from explorer.panels.tour_steps import TOUR
from explorer.panels.upload_panel import UploadPanel
from explorer.session import Session
from explorer.views.export import TourBox
from explorer.views.layout import title
from explorer.views.run_bar import StatusView
from explorer.zoo import Loaded

TITLE = "Compression Explorer"
SUBTITLE = (
    "Turn a dial: the network is really recompressed, and its size, accuracy and weights follow."
)


@dataclass(frozen=True)
class Opening:
    """What the head tells where another network is opened.

    Attributes
    ----------
    session : callable
        Returns the session that is shown.
    named : callable
        Called with an `Opened` that its name brings back.
    nameless : callable
        Called with an `Opened` of a file, and with what makes its session again.
    """

    session: Callable[[], Session]
    named: Callable[[Opened], None]
    nameless: Callable[[Opened, Again], None]


class Head:
    """Title, network, layer up close, and tools.

    Parameters
    ----------
    opening : Opening
    status : StatusView
        Says what is under way, and what went wrong.
    tools : Widget
        Undo, redo and the link; they belong to whoever made them.
    loaded : Loaded, optional
        Offer the networks of the catalog, this one being shown.

    Attributes
    ----------
    widgets : list of Widget
    layer : Dropdown
        The layer up close.
    picker : ModelPicker or None
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
        self.layer = Dropdown(description="Layer up close")
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
