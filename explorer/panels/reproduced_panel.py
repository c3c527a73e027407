"""Results of papers, beside what was reached here, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ipywidgets import Dropdown

from explorer.closing import close_all
from explorer.controls.help_text import explain
from explorer.measure.published.results import Reproduced, Story, reproduced, story
from explorer.reproduce.table import results
from explorer.views.parts import card
from explorer.views.provenance import ProvenanceView
from explorer.views.reproduced import ReproducedView

Results = Callable[[], Sequence[Mapping[str, Any]]]


def none() -> tuple[Mapping[str, Any], ...]:
    """Return no results."""
    return ()


def story_of(name: str, results: Results = results) -> Story | None:
    """Return how a compressed network came to be; None where that is not known."""
    found = (each for each in results() if each["name"] == name)
    return next((story(each) for each in found), None)


class ReproducedPanel:
    """A card with a table, and the story of a chosen result; hidden where there are none.

    Parameters
    ----------
    results : callable
        Returns what the reproductions wrote, one mapping each.

    Attributes
    ----------
    card : VBox
    """

    def __init__(self, results: Results = none) -> None:
        found = list(results())
        rows: list[Reproduced] = [reproduced(each) for each in found]
        stories = [told for each in found if (told := story(each)) is not None]
        self._view, self._story = ReproducedView(), ProvenanceView()
        self._chosen = Dropdown(
            description="How it came to be", options=[(told.name, told) for told in stories]
        )
        self._chosen.add_class("ex-story-picker")
        explain(self._chosen, "The result whose training is shown, epoch by epoch.")
        self._chosen.observe(lambda _change: self._tell(), "value")
        body = [self._view.widget]
        if stories:
            body += [self._chosen, self._story.widget]
        self.card = card("Results of papers", "published, and reached here", body, "ex-wide")
        self.card.add_class("ex-view-reproduced")
        if not rows:
            self.card.add_class("ex-hidden")
        self._view.draw(rows)
        self._tell()

    def _tell(self) -> None:
        chosen: Story | None = self._chosen.value
        if chosen is not None:
            self._story.draw(chosen)

    def close(self) -> None:
        """Release the widgets."""
        self._view.close()
        self._story.close()
        close_all(self._chosen, self.card)
