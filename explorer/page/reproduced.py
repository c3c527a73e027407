"""Results of papers, beside what was reached here, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ipywidgets import Dropdown

from explorer.controls.help_text import explain
from explorer.measure.published.results import Reproduced, Story, story
from explorer.reproduce.table import results
from explorer.views.reproduced import ProvenanceView, ReproducedView
from explorer.widgets import View

Results = Callable[[], Sequence[Mapping[str, Any]]]


def none() -> tuple[Mapping[str, Any], ...]:
    """Return no results."""
    return ()


def story_of(name: str, results: Results = results) -> Story | None:
    """Return how a compressed network came to be; None where that is not known."""
    found = (each for each in results() if each["name"] == name)
    return next((story(each) for each in found), None)


class PublishedView(View):
    """Results of papers in a table, and how a chosen one was reached."""

    def __init__(self) -> None:
        self._table, self._story = ReproducedView(), ProvenanceView()
        self._chosen = Dropdown(description="How it came to be", options=[])
        self._chosen.add_class("ex-story-picker")
        explain(self._chosen, "The result whose training is shown, epoch by epoch.")
        self._chosen.observe(lambda change: self._tell(change["new"]), "value")
        self._rows: Sequence[Reproduced] = ()
        super().__init__([self._table], "ex-body")

    def draw(self, rows: Sequence[Reproduced], stories: Sequence[Story]) -> None:
        """Show results and stories, unless they are shown."""
        if rows is self._rows:
            return
        self._rows = rows
        self._table.draw(rows)
        if stories:
            self._chosen.options = [(told.name, told) for told in stories]
            self.children = (self._table, self._chosen, self._story)

    def _tell(self, chosen: Story | None) -> None:
        if chosen is not None:
            self._story.draw(chosen)
