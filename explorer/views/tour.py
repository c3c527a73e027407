"""A tour of the page in a few steps, offered on the first visit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import traitlets

from explorer.views.front_end import script
from explorer.widgets import ScriptView


@dataclass(frozen=True)
class TourStep:
    """One step of a tour.

    Attributes
    ----------
    title, text : str
    selector : str
        CSS selector, inside the page's root, of what it is about; a step whose element is not
        there is left out.
    """

    title: str
    text: str
    selector: str


class TourBox(ScriptView):
    """A button that shows the tour, and an offer in a corner for who has not seen it.

    The offer is made on the served page, unless it was opened with a ``?state=``, and never
    again once it was taken or declined in this browser. The tour is a dialog: it holds the
    focus, Escape ends it, and the focus goes back to the button.
    """

    _esm = script("tour.js")

    steps: traitlets.List = traitlets.List().tag(sync=True)

    def __init__(self, steps: Sequence[TourStep]) -> None:
        super().__init__(steps=[asdict(step) for step in steps])
        self.add_class("ex-tour-box")
