"""The tab Compare: the history, and the states that a person keeps."""

from __future__ import annotations

from ipywidgets import Box, VBox

from explorer.compress.setting import Setting
from explorer.panels.tab import Tab
from explorer.panels.topic import Scene, Topic
from explorer.views.layout import area


class KeptTab(Tab):
    """Cards that draw themselves.

    Parameters
    ----------
    cards : list of VBox
        Of whoever made them, who closes them.

    Attributes
    ----------
    topic : Topic
    widget : Box
    """

    def __init__(self, cards: list[VBox]) -> None:
        self.topic = Topic("Compare", "", (), (), ())
        for each in cards:
            each.add_class("ex-wide")
        self._grid = area("grid", list(cards))
        self.widget: Box = VBox([self._grid])
        self.widget.add_class("ex-topic")

    def draw(self, scene: Scene, steps: tuple[Setting, ...]) -> None:
        """Draw nothing: the cards follow by themselves."""

    def close(self) -> None:
        """Release the boxes."""
        self._grid.close()
        self.widget.close()
