"""The tab Behavior: one comparison for all cards, a hint where there is nothing to judge by."""

import re

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from explorer.compress.methods.prune import Prune
from explorer.page.behavior import BEHAVIOR
from explorer.page.cards import Scene
from explorer.page.tabs import RecipeTab
from explorer.session import Session


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU(), nn.Linear(16, 4)).eval()


def samples():
    inputs = torch.randn(200, 1, 6, 6, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return TensorDataset(inputs, network()(inputs).argmax(1))


@pytest.fixture
def shown():
    made = []

    def make(data):
        session = Session(network(), data)
        session.apply([Prune(sparsity=0.8)])
        panel = RecipeTab(BEHAVIOR, print, print)
        made.append((session, panel))
        session.wait(60)
        return session, panel

    yield make
    for session, panel in made:
        panel.close()
        session.close()


def scene(session, stale=lambda: False):
    return Scene(session, session.result, session.close_up(session.layers[0]), stale)


def cards(panel):
    """Hidden or not, by class."""
    return {
        box.card.css.removeprefix("ex-view-"): "ex-hidden" not in box._dom_classes
        for box in panel.boxes
    }


def test_one_comparison_serves_all_cards(shown, monkeypatch):
    session, panel = shown(samples())
    found = []
    ask = session.behavior
    monkeypatch.setattr(session, "behavior", lambda stop: found.append(ask(stop)) or found[-1])
    panel.draw(scene(session), ())
    assert not found
    panel.draw_slowly(scene(session))
    assert len(found) == 6 and all(one is found[0] for one in found)
    assert found[0].n == 200 and len(found[0].lost) > 0
    captions = [box.view._caption.value for box in panel.boxes if box.card.slow]
    assert all(re.search(r"\b(look|see|nothing)\b", text.lower()) for text in captions)
    assert cards(panel) == {
        "agreement": True,
        "classes": True,
        "confusion": True,
        "behavior-hint": False,
        "lost": True,
        "next": True,
        "gained": True,
    }
    assert all("ex-waiting" not in box._dom_classes for box in panel.boxes)


def test_without_labels_a_hint_says_what_is_missing(shown):
    session, panel = shown(None)
    panel.draw(scene(session), ())
    panel.draw_slowly(scene(session))
    assert [name for name, visible in cards(panel).items() if visible] == ["behavior-hint"]
    hint = next(box.view for box in panel.boxes if not box.card.slow)
    assert "labeled data" in hint._sentence.value


def test_a_stale_scene_leaves_the_cards_as_they_were(shown):
    session, panel = shown(samples())
    panel.draw(scene(session), ())
    panel.draw_slowly(scene(session, lambda: True))
    assert all("ex-waiting" in box._dom_classes for box in panel.boxes if box.card.slow)
    assert sum(cards(panel).values()) == 6


def test_it_is_about_all_steps():
    assert BEHAVIOR.kinds == () and BEHAVIOR.title == "Behavior"
