"""What every tab of the page does, whatever it shows."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ipywidgets import Box

from explorer.compress.methods.setting import Setting
from explorer.measure.result import Result
from explorer.panels.topic import Scene, Topic
from explorer.session import Session


class Tab(ABC):
    """One tab; only the one that is shown is drawn.

    Attributes
    ----------
    topic : Topic
    widget : Box
        Empty until the first `draw`.
    """

    topic: Topic
    widget: Box

    @abstractmethod
    def draw(self, scene: Scene, steps: tuple[Setting, ...]) -> None:
        """Draw what there is to see of a layer with some steps."""

    @abstractmethod
    def close(self) -> None:
        """Release the widgets, and end what runs."""

    def draw_slowly(self, scene: Scene) -> None:  # noqa: B027
        """Measure and draw what takes long, unless the scene turns stale; from a thread."""

    def hide(self) -> None:  # noqa: B027
        """Draw nothing until the next `draw`: another tab is open."""

    def moved(self) -> None:  # noqa: B027
        """Take note that the recipe is changing."""

    def completed(self, session: Session, result: Result) -> None:  # noqa: B027
        """Take note that a recipe's figures are all there."""

    def forget(self) -> None:  # noqa: B027
        """Drop what belongs to the network that was shown: another one is."""
