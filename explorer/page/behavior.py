"""The tab Behavior: what the compressed network answers otherwise than the original."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.measure.behavior import Behavior
from explorer.page.cards import Card, Scene, Topic
from explorer.views.agreement import AgreementView, ClassBarsView
from explorer.views.confusion import ConfusionView
from explorer.views.images import ImagesView
from explorer.views.parts import HintView

NO_DATA = (
    "Behavior is judged on labeled data, and there is none here: hand over pairs of input and "
    "class index with the network, Explorer(net, data), or choose a trained network."
)


def _of(part: Callable[[Behavior], Any]) -> Callable[[Scene], Any]:
    """Take a scene to a part of its behavior; None where there is none."""

    def record(scene: Scene) -> Any:
        found = scene.session.behavior(scene.stale)
        return None if found is None else part(found)

    return record


def _hint(scene: Scene) -> str | None:
    return None if scene.session.has_labels else NO_DATA


HINT = Card(
    "Nothing to judge by",
    "no labeled data",
    "ex-view-behavior-hint",
    HintView,
    _hint,
)
AGREEMENT = Card(
    "Agreement",
    "with the original",
    "ex-view-agreement",
    AgreementView,
    _of(lambda found: found),
    slow=True,
)
CLASSES = Card(
    "Right answers by class",
    "hardest hit first",
    "ex-view-classes",
    ClassBarsView,
    _of(lambda found: found),
    slow=True,
)
CONFUSION = Card(
    "Confusion",
    "truth against answer",
    "ex-view-confusion",
    ConfusionView,
    _of(lambda found: found.confusion),
    slow=True,
)


def _images(title: str, hint: str, kind: str) -> Card:
    return Card(
        title,
        hint,
        f"ex-view-{kind}",
        ImagesView,
        _of(lambda found: found.galleries[kind]),
        slow=True,
    )


BEHAVIOR = Topic(
    "Behavior",
    "shows where the network answers otherwise than before",
    (),
    (AGREEMENT, CLASSES),
    (
        CONFUSION,
        _images("Lost", "right before, wrong now", "lost"),
        _images("Gained", "wrong before, right now", "gained"),
    ),
    (HINT, _images("Next to go", "right by the smallest margin", "next")),
)
