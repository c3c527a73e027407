"""One topic's views, made when its tab is first opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipywidgets import Box, VBox

from explorer.closing import close_all
from explorer.compress.methods.setting import Setting
from explorer.controls.steps import title_of
from explorer.panels.tab import Tab
from explorer.panels.topic import Scene, Topic, ViewSpec
from explorer.session.words import in_words
from explorer.views.layout import area
from explorer.views.parts import HintView, card

HIDDEN, WAITING = "ex-hidden", "ex-waiting"


class TopicPanel(Tab):
    """The cards of one topic.

    Parameters
    ----------
    topic : Topic
    select : callable
        Called with a layer's name when its row is chosen.
    add : callable
        Called with a setting when the person asks for the topic's first step.

    Attributes
    ----------
    widget : Box
        Empty until the first `draw`.
    """

    def __init__(
        self,
        topic: Topic,
        select: Callable[[str], None],
        add: Callable[[Setting], None],
    ) -> None:
        self.topic = topic
        self._select = select
        self._views: list[tuple[ViewSpec, Any, VBox]] = []
        self._parts: list[Box] = []
        self._hint = HintView(lambda: add(topic.starts[0]))
        self._hint.widget.add_class("ex-topic-hint")
        self._hint.widget.add_class(HIDDEN)
        self._grid = area("grid", [])
        self.widget: Box = VBox([self._hint.widget, self._grid])
        self.widget.add_class("ex-topic")

    def draw(self, scene: Scene, steps: tuple[Setting, ...]) -> None:
        """Draw what there is to see of a layer with some steps.

        Raises
        ------
        RuntimeError
            If a card could not be drawn; the others are.
        """
        if not self._views:
            self._make()
        failures = []
        for spec, view, box in self._views:
            if spec.slow:
                box.add_class(WAITING)
                continue
            try:
                _show(spec, view, box, spec.record(scene), scene)
            except Exception as error:
                failures.append((spec, error))
        if not self._grid.children:
            self._grid.children = tuple(self._parts)
        self._draw_hint(steps)
        _tell(failures)

    def draw_slowly(self, scene: Scene) -> None:
        """Make and draw what takes long, unless the scene turns stale; raises as `draw`."""
        failures = []
        for spec, view, box in self._views:
            if spec.slow and not scene.stale():
                try:
                    record = spec.record(scene)
                    if not scene.stale():
                        _show(spec, view, box, record, scene)
                except Exception as error:
                    failures.append((spec, error))
        _tell(failures)

    def _draw_hint(self, steps: tuple[Setting, ...]) -> None:
        kinds = self.topic.kinds
        missing = bool(kinds) and not any(isinstance(step, kinds) for step in steps)
        if missing:
            name = title_of(type(self.topic.starts[0]))
            self._hint.draw(f"No step that {self.topic.about} yet.", f"Add {name}")
        (self._hint.widget.remove_class if missing else self._hint.widget.add_class)(HIDDEN)

    def _make(self) -> None:
        """Make the cards: above, in two columns and below them."""
        topic = self.topic
        top, left, right, wide = (
            [self._made(spec) for spec in part]
            for part in (topic.top, topic.left, topic.right, topic.wide)
        )
        self._views = [*top, *left, *right, *wide]
        columns = [area("column", [box for _, _, box in made]) for made in (left, right)]
        for _, _, box in (*top, *wide):
            box.add_class("ex-wide")
        above, below = ([box for _, _, box in part] for part in (top, wide))
        self._parts = [*above, *columns, *below]

    def _made(self, spec: ViewSpec) -> tuple[ViewSpec, Any, VBox]:
        view = spec.make(self._select)
        return spec, view, card(spec.title, spec.hint, [], spec.class_)

    def close(self) -> None:
        """Release the widgets."""
        for _, view, box in self._views:
            view.close()
            close_all(box)
        close_all(*self._parts)
        self._hint.close()
        close_all(self.widget)


def _tell(failures: list[tuple[ViewSpec, Exception]]) -> None:
    """Raise for what the first of some cards failed by, once the others are drawn."""
    for spec, error in failures:
        words = f"{in_words(error)} ({type(error).__name__})"
        raise RuntimeError(f"the card {spec.title!r} could not be drawn: {words}") from error


def _show(spec: ViewSpec, view: Any, box: VBox, record: Any, scene: Scene) -> None:
    box.remove_class(WAITING)
    (box.add_class if record is None else box.remove_class)(HIDDEN)
    if record is not None:
        spec.draw(view, record, scene.close_up.layer)
        if view.widget not in box.children:
            box.children = (*box.children, view.widget)
