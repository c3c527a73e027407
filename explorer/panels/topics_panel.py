"""The topics as tabs, of which only the one that is shown is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from explorer.experiments.experiment import Experiment
from explorer.measure.published.results import Story
from explorer.measure.result import Result
from explorer.panels.run_panel import RunPanel
from explorer.panels.tab import Tab
from explorer.panels.topic import Scene, Topic
from explorer.session import Session
from explorer.session.worker import Stale
from explorer.views.tabs import TabsView


class TopicsPanel:
    """Tabs of topics.

    Parameters
    ----------
    tabs : sequence of Tab
    first : str
        Title of the tab that is shown at the start.
    opened : callable
        Called with the topic when its tab is opened.

    Attributes
    ----------
    widget : VBox
    loading : str
        Python that loads the network and its data, for the code that is exported.
    story : Story or None
        How the network came to be, where that is known.
    """

    loading = ""
    story: Story | None = None

    def __init__(self, tabs: Sequence[Tab], first: str, opened: Callable[[Topic], None]) -> None:
        self._panels = {tab.topic.title: tab for tab in tabs}
        if first not in self._panels:
            known = ", ".join(self._panels)
            raise ValueError(f"tab must be one of {known}; got {first!r}")
        contents, helps = [tab.widget for tab in tabs], [tab.topic.help for tab in tabs]
        self._tabs = TabsView(list(self._panels), contents, first, helps)
        self._tabs.observe(lambda _change: self._selected(opened), "selected")
        self.widget = self._tabs.widget

    @property
    def titles(self) -> tuple[str, ...]:
        """Titles of the tabs."""
        return tuple(self._panels)

    def __getitem__(self, title: str) -> Tab:
        return self._panels[title]

    def open(self, title: str) -> None:
        """Open the tab of a title."""
        self._tabs.selected = title

    @property
    def topic(self) -> Topic:
        """The topic that is shown."""
        return self._panels[self._tabs.selected].topic

    @topic.setter
    def topic(self, topic: Topic) -> None:
        self._tabs.selected = topic.title

    @property
    def plan(self) -> Experiment | None:
        """What the tab that is shown would train; None where it trains nothing."""
        tab = self._panels[self._tabs.selected]
        return tab.setup.plan if isinstance(tab, RunPanel) else None

    def _selected(self, opened: Callable[[Topic], None]) -> None:
        for tab in self._panels.values():
            if tab.topic is not self.topic:
                tab.hide()
        opened(self.topic)

    def draw(self, session: Session, result: Result, layer: str) -> None:
        """Draw a session's current result in the tab that is shown, with one layer up close."""
        close_up = session.close_up(layer)
        scene = Scene(session, result, close_up, loading=self.loading, story=self.story)
        steps = session.recipe.steps_for(layer)
        self._panels[self._tabs.selected].draw(scene, steps)

    def draw_slowly(self, session: Session, result: Result, layer: str, stale: Stale) -> None:
        """Measure and draw what takes long in the tab that is shown."""
        scene = Scene(session, result, session.close_up(layer), stale)
        self._panels[self._tabs.selected].draw_slowly(scene)

    def moved(self) -> None:
        """Tell every tab that the recipe is changing."""
        for tab in self._panels.values():
            tab.moved()

    def completed(self, session: Session, result: Result) -> None:
        """Tell every tab that a recipe's figures are all there."""
        for tab in self._panels.values():
            tab.completed(session, result)

    def forget(self) -> None:
        """Tell every tab that another network is shown."""
        for tab in self._panels.values():
            tab.forget()

    def close(self) -> None:
        """Release the widgets."""
        self._tabs.close()
        for panel in self._panels.values():
            panel.close()
