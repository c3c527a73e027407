"""Results of papers, beside what was reached here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from explorer.measure.reproduced import Reproduced, reproduced
from explorer.views.card import card
from explorer.views.closing import close_all
from explorer.views.reproduced import ReproducedView

Results = Callable[[], Sequence[Mapping[str, Any]]]


def none() -> tuple[Mapping[str, Any], ...]:
    """Return no results."""
    return ()


class ReproducedPanel:
    """A card with a table; hidden where there are no results.

    Parameters
    ----------
    results : callable
        Returns what the reproductions wrote, one mapping each.

    Attributes
    ----------
    card : VBox
    """

    def __init__(self, results: Results = none) -> None:
        rows: list[Reproduced] = [reproduced(found) for found in results()]
        self._view = ReproducedView()
        self.card = card(
            "Results of papers", "published, and reached here", self._view.widget, "ex-wide"
        )
        self.card.add_class("ex-view-reproduced")
        if not rows:
            self.card.add_class("ex-hidden")
        self._view.draw(rows)

    def close(self) -> None:
        """Release the widgets."""
        self._view.close()
        close_all(self.card)
