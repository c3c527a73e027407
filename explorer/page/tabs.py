"""The tabs of the page, of which only the one that is shown is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ipywidgets import Widget
from torch import nn

from explorer.compress.methods.setting import Setting
from explorer.controls.help_text import title_of
from explorer.experiments.experiment import Experiment
from explorer.measure.published.results import Story
from explorer.measure.result import Result
from explorer.page.anatomy import ANATOMY
from explorer.page.behavior import BEHAVIOR
from explorer.page.cards import Scene, Tab, Topic
from explorer.page.distill import DistillTab
from explorer.page.runs import Use
from explorer.page.topics import page_topics
from explorer.page.train import TrainTab
from explorer.reproduce.table import results
from explorer.session import Session
from explorer.stopping import Stop
from explorer.views.parts import HintView
from explorer.views.tabs import TabsView

FIRST = "Prune"


class RecipeTab(Tab):
    """The cards of a topic on steps, and a hint where the recipe has none of these."""

    def __init__(
        self, topic: Topic, on_select: Callable[[str], None], add: Callable[[Setting], None]
    ) -> None:
        self._hint = HintView(lambda: add(topic.starts[0]))
        self._hint.add_class("ex-topic-hint")
        self._hint.shown = False
        super().__init__(topic, on_select)

    def draw(self, scene: Scene, steps: tuple[Setting, ...]) -> None:
        """Draw the cards, and the hint."""
        kinds = self.topic.kinds
        missing = bool(kinds) and not any(isinstance(step, kinds) for step in steps)
        if missing:
            name = title_of(type(self.topic.starts[0]))
            self._hint.draw(f"No step that {self.topic.about} yet.", f"Add {name}")
        self._hint.shown = missing
        super().draw(scene, steps)

    def _all(self) -> list[Widget]:
        return [self._hint, *super()._all()]


def make_tabs(
    select: Callable[[str], None],
    add: Callable[[Setting], None],
    use: Use,
    say: Callable[[str], None],
    compare: Tab,
    student: nn.Module | None = None,
) -> Sequence[Tab]:
    """Make every tab, in their order."""
    topics = [RecipeTab(topic, select, add) for topic in (ANATOMY, *page_topics()[0])]
    behavior = RecipeTab(BEHAVIOR, select, add)
    return [*topics, compare, TrainTab(use, say, results), DistillTab(use, student), behavior]


class TopicsPanel:
    """Tabs of topics."""

    loading = ""
    story: Story | None = None

    def __init__(self, tabs: Sequence[Tab], first: str, opened: Callable[[Topic], None]) -> None:
        self._panels = {tab.topic.title: tab for tab in tabs}
        if first not in self._panels:
            known = ", ".join(self._panels)
            raise ValueError(f"tab must be one of {known}; got {first!r}")
        contents, helps = list(tabs), [tab.topic.help for tab in tabs]
        self._tabs = TabsView(list(self._panels), contents, first, helps)
        self._tabs.observe(lambda _change: self._selected(opened), "selected")
        self.widget = self._tabs

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
        return self._panels[self._tabs.selected].experiment

    def _selected(self, opened: Callable[[Topic], None]) -> None:
        for tab in self._panels.values():
            if tab.topic is not self.topic:
                tab.hide()
        opened(self.topic)

    def draw(self, session: Session, result: Result, layer: str) -> None:
        """Draw a session's current result in the tab that is shown, with one layer on screen."""
        close_up = session.close_up(layer)
        scene = Scene(session, result, close_up, loading=self.loading, story=self.story)
        steps = session.recipe.steps_for(layer)
        self._panels[self._tabs.selected].draw(scene, steps)

    def draw_slowly(self, session: Session, result: Result, layer: str, stale: Stop) -> None:
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
