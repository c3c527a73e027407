"""What keeps the page's states, on a page of three callables."""

import threading

import pytest
import torch
from torch import nn
from waiting import until

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.networks.recipe import Recipe
from explorer.history.bookmarks import Bookmark, bookmarks_to_json
from explorer.history.figures import KeptFigures
from explorer.history.state import State
from explorer.page.history import Page, StateKeeper
from explorer.page.open import KeptNetworks, Opened, has_name, keeping, open_network
from explorer.session import Session


def session():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 6)).eval()
    return Session(net, input_shape=(16,))


def pruned(percent):
    return Recipe.of([Prune(sparsity=percent / 100)])


class Shown:
    """A page that shows what it is told."""

    def __init__(self):
        self.lock = threading.RLock()
        self.session = session()
        self.state = State("", recipe=pruned(50), layer="0", tab="Prune")
        self.told = []
        self.keeper = StateKeeper(
            Page(
                lambda: self.state,
                self.figures,
                lambda: self.session,
                lambda: ("Prune", "Compare"),
                self.show,
                self.lock,
                lambda words: self.told.append(("work", words)),
                lambda words: self.told.append(("fail", words)),
            )
        )
        self.keeper.keep(Opened(self.session), session)
        self.keeper.visited()

    def figures(self):
        return KeptFigures.of(self.session.figures(self.state.recipe))

    def show(self, state, opened):
        if opened is not None:
            self.session.close()
            self.session = opened.session
        self.state = state
        self.keeper.visited()

    def turn(self, percent):
        self.show(State(*self.state.network, pruned(percent), "0", "Prune"), None)

    def close(self):
        self.keeper.close()
        self.session.close()


@pytest.fixture
def page():
    page = Shown()
    yield page
    page.close()


def press(widget, **content):
    widget._handle_custom_msg(content, [])


def address(page):
    return page.keeper._address


def test_the_link_follows_the_state(page):
    wanted = page.state.to_link()
    until(lambda: address(page).link == wanted)
    assert address(page).note.startswith("It holds the recipe, not the network")
    page.turn(60)
    wanted = page.state.to_link()
    until(lambda: address(page).link == wanted)


def test_a_recipe_too_large_for_a_link_is_said(page):
    page.state = State(recipe=Recipe.of({"*" * (i + 1): [] for i in range(65)}))
    page.keeper.visited()
    until(lambda: "65 patterns" in address(page).problem)
    assert address(page).link == ""


def test_undo_brings_the_work_back_and_leaves_what_is_looked_at(page):
    page.turn(60)
    page.state = State(recipe=pruned(60), layer="2", tab="Compare")
    press(page.keeper.history.buttons, type="undo")
    assert page.state == State(recipe=pruned(50), layer="2", tab="Compare")
    press(page.keeper.history.buttons, type="redo")
    assert page.state == State(recipe=pruned(60), layer="2", tab="Compare")


def test_undo_over_a_training_brings_the_network_back(page):
    first = page.session
    name = page.keeper.networks.new_name()
    trained = Opened(session(), (name, "default"))
    page.keeper.keep(trained, session)
    page.show(State(name, recipe=pruned(0), layer="0"), trained)
    press(page.keeper.history.buttons, type="undo")
    until(lambda: page.state.model == "")
    assert page.state.recipe == pruned(50) and page.session is not first
    press(page.keeper.history.buttons, type="redo")
    until(lambda: page.state.model == "trained here 1")
    assert page.told == []


def test_a_state_is_shown_whole_or_not_at_all(page):
    before = page.state
    for state, words in (
        (State(recipe=Recipe.of({"fc9": []})), "pattern 'fc9' matches no layer"),
        (State(recipe=pruned(1), layer="fc9"), "layer: expected one of 0, 2; got 'fc9'"),
        (State(recipe=pruned(1), tab="None"), "tab: expected one of Prune, Compare; got 'None'"),
        (State("no-such-net"), "'no-such-net' with 'default' weights is neither in the catalog"),
        (State("lenet-5", layer="fc9"), "layer: expected one of conv1"),
    ):
        with pytest.raises(ValueError, match=words):
            page.keeper.open(state)
        assert page.state is before


def test_a_link_is_opened_once(page):
    link = State(recipe=pruned(70), layer="2", tab="Compare").to_link()
    address(page).asked = link
    page.keeper.listen()
    assert page.state == State.from_link(link)
    page.turn(80)
    page.keeper.open_link(link)
    assert page.state.recipe == pruned(80)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lenet-300-100", []),
        (
            "deep-compression-lenet-300-100",
            [("work", "Loading deep-compression-lenet-300-100…")],
        ),
    ],
)
def test_a_link_to_another_network_loads_it(page, name, told):
    state = State(name, recipe=Recipe.of([Quantize(bits=3)]), layer="fc2")
    page.keeper.open_link(state.to_link())
    until(lambda: page.state == state)
    assert page.session.layers == ("fc1", "fc2", "fc3")
    assert page.told == told


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("1.xyz", "The link in the address could not be opened. link: it is damaged"),
        (State(recipe=Recipe.of({"fc9": []})).to_link(), "matches no layer"),
        (State("/etc/passwd").to_link(), "'/etc/passwd' with 'default' weights is neither"),
    ],
)
def test_a_link_that_does_not_fit_is_answered_in_words(page, link, words):
    before = page.state
    page.keeper.open_link(link)
    until(lambda: any(kind == "fail" for kind, _ in page.told))
    assert words in page.told[-1][1]
    assert page.state is before


def test_figures_reach_history_and_kept_states(page):
    page.keeper.measured()
    wanted = f"{page.figures().size_bytes} B"
    until(lambda: [row[3] for row in page.keeper.history._tree._tree.rows] == [wanted])


def test_what_the_browser_keeps_comes_back_and_goes_on(page):
    kept = bookmarks_to_json([Bookmark("mine", State(recipe=pruned(99), tab="Prune"))])
    page.keeper.listen()
    address(page).stored = kept
    assert address(page).kept == "" and not address(page).unreadable
    page.state = State(recipe=pruned(50), layer="2", tab="Compare")
    press(page.keeper.bookmarks._view._table, type="go", texts=["mine"])
    assert page.state == State(recipe=pruned(99), layer="2", tab="Compare")
    press(page.keeper.bookmarks._view._table, type="remove", texts=["mine"])
    assert address(page).kept == bookmarks_to_json([])


def test_what_the_browser_kept_and_nobody_can_read_is_put_aside(page):
    page.keeper.listen()
    address(page).stored = "{"
    assert address(page).unreadable
    assert "could not be read" in page.keeper.bookmarks._view._table.error
    address(page).unkept = "this browser keeps nothing"
    assert page.keeper.bookmarks._view._table.error == "this browser keeps nothing"


def test_networks_are_kept_as_far_as_memory_goes():
    networks = KeptNetworks(limit_bytes=100)
    for name in "abc":
        networks.keep((name, "default"), 40, lambda name=name: name)
    assert ("a", "default") not in networks
    assert networks.open(("b", "default")) == "b"
    networks.keep(("huge", "default"), 101, lambda: "huge")
    with pytest.raises(ValueError, match="'huge' with 'default' weights is neither"):
        networks.open(("huge", "default"))


def test_finished_files_are_opened_by_name():
    opened = open_network("deep-compression-lenet-300-100")
    assert opened.network == ("deep-compression-lenet-300-100", "default")
    assert opened.recipe == keeping(opened.recipe) and opened.story is not None
    assert opened.session.figures(opened.recipe).compression_ratio > 40
    opened.session.close()
    assert not has_name(("deep-compression-lenet-300-100", "random"))
    assert not has_name(("lenet-5.safetensors", "default"))


def test_random_weights_are_not_judged():
    opened = open_network("lenet-5", "random")
    assert opened.session.data is None and opened.network == ("lenet-5", "random")
    assert "weights=None" in opened.loading
    opened.session.close()
