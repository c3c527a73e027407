"""The explorer's state: assigned, opened from a link, undone, kept."""

import pytest
from waiting import until

import explorer as ex
from explorer import zoo
from explorer.history.state import State
from explorer.page import served as page_module

WAIT_S = 60


def press(widget, **content):
    widget._handle_custom_msg(content, [])


def error(app):
    return app._status.error


def recipe(percent):
    return ex.Recipe.of([ex.Prune(sparsity=percent / 100)])


@pytest.fixture
def app():
    loaded = zoo.load("lenet-300-100")
    app = ex.Explorer(loaded.net, loaded.data, recipe=recipe(50), picker=loaded)
    app.wait(WAIT_S)
    yield app
    app.close()


def test_the_state_is_what_is_shown(app):
    assert app.state == State("lenet-300-100", "default", recipe(50), "fc1", "Prune")


def test_a_state_that_is_assigned_is_shown(app):
    state = State("lenet-5", "random", recipe(70), "conv2", "Share")
    app.state = state
    assert app.state == state
    assert app.wait(WAIT_S).accuracy is None
    picker = app._head.picker
    assert (picker._name.value, picker._weights.value) == ("lenet-5", "random")
    expected = ex.compress(ex.load("lenet-5", weights=None).net, recipe(70))
    assert app.result.size_bytes == expected.size_bytes


def test_a_state_that_does_not_fit_changes_nothing(app):
    before = app.state
    with pytest.raises(ValueError, match="layer: expected one of fc1, fc2, fc3; got 'conv1'"):
        app.state = State("lenet-300-100", recipe=recipe(70), layer="conv1")
    assert app.state == before


def test_turned_dials_are_undone_with_their_figures(app):
    first = app.result
    app.recipe = recipe(90)
    app.wait(WAIT_S)
    press(app._keeper.history.buttons, type="undo")
    assert app.recipe == recipe(50)
    assert app.wait(WAIT_S).size_bytes == first.size_bytes
    press(app._keeper.history.buttons, type="redo")
    assert app.recipe == recipe(90)
    assert error(app) == ""


def test_undo_comes_back_from_a_network_that_was_trained_here(app):
    net = zoo.load("lenet-300-100", weights=None).net
    app._use(net, recipe(0))
    assert app.state.network == ("trained here 1", "default")
    press(app._keeper.history.buttons, type="undo")
    until(lambda: app.state.model == "lenet-300-100")
    assert app.recipe == recipe(50)
    press(app._keeper.history.buttons, type="redo")
    until(lambda: app.state.model == "trained here 1")
    assert app.wait(WAIT_S).accuracy.top1 < 0.5
    assert error(app) == ""


def test_what_is_kept_gets_its_figures_when_they_are_complete(app):
    app.recipe = recipe(80)
    press(app._keeper.bookmarks._view._table, type="keep", texts=["mine"])
    result = app.wait(WAIT_S)
    until(lambda: app._keeper.bookmarks.kept["mine"].figures.accuracy == result.accuracy)
    assert app._keeper.bookmarks.kept["mine"].state.recipe == recipe(80)


@pytest.mark.parametrize(
    ("link", "model", "words"),
    [
        (State("lenet-5", recipe=recipe(66), tab="Share").to_link(), "lenet-5", ""),
        (State("lenet-300-100", recipe=recipe(66), tab="Share").to_link(), "lenet-300-100", ""),
        ("1.nonsense", "lenet-300-100", "The link in the address could not be opened. link: "),
    ],
)
def test_the_served_page_opens_its_address(link, model, words, monkeypatch):
    monkeypatch.setenv(page_module.QUERY_VARIABLE, f"voila-theme=light&state={link}")
    app = page_module.page()
    try:
        until(lambda: app.state.model == model and (words or app.state.tab == "Share"))
        assert error(app).startswith(words) and bool(error(app)) is bool(words)
        assert app.recipe == recipe(66) or words
    finally:
        app.close()
