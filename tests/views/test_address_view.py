"""The address, told by a browser that is not there."""

import pytest
from ipywidgets.widgets.widget import _instances

from explorer.views.browser import AddressView
from explorer.views.history import BookmarksView, HistoryTreeView, UndoView


@pytest.fixture
def heard():
    return []


@pytest.fixture
def view(heard):
    view = AddressView(
        lambda text: heard.append(("asked", text)),
        lambda text, first: heard.append(("stored", text, first)),
        lambda words: heard.append(("unkept", words)),
    )
    yield view
    view.close()


def test_what_the_browser_told_early_is_heard_once(view, heard):
    view.asked = "1.abc"
    view.stored = "{}"
    assert heard == []
    view.listen()
    assert heard == [("asked", "1.abc"), ("stored", "{}", True)]
    view.asked = "1.abc"
    assert len(heard) == 2


def test_only_the_first_of_what_is_stored_is_the_first(view, heard):
    view.listen()
    view.stored = "a"
    view.stored = "b"
    view.unkept = "the browser is full"
    assert heard == [
        ("stored", "a", True),
        ("stored", "b", False),
        ("unkept", "the browser is full"),
    ]


def test_what_is_to_be_kept_goes_to_the_browser(view):
    view.draw("1.abc", note="remark")
    assert (view.link, view.problem, view.note) == ("1.abc", "", "remark")
    view.draw("", "too large")
    assert (view.link, view.problem, view.note) == ("", "too large", "")
    view.spare()
    assert view.unreadable
    view.keep("{}")
    assert view.kept == "{}"


@pytest.mark.parametrize(
    "make",
    [
        lambda: AddressView(print, print, print),
        lambda: UndoView(print, print, print),
        lambda: HistoryTreeView(print),
        lambda: BookmarksView({}, print, print),
    ],
)
def test_closing_releases_every_widget_of_the_state(make):
    before = set(_instances)
    view = make()
    mine = set(_instances) - before
    view.close()
    left = {type(_instances[key]).__name__ for key in mine & set(_instances)}
    assert left <= {"Layout"}
