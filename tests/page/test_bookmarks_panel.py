"""Kept states on the page, without a browser."""

import ast
import json

import pytest

from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.product import Product
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.history import bookmarks as bookmark_files
from explorer.history.bookmarks import Bookmark, Bookmarks, bookmarks_from_json, bookmarks_to_json
from explorer.history.figures import KeptFigures
from explorer.history.state import State
from explorer.measure.accuracy import Accuracy
from explorer.page.bookmarks import BookmarksPanel, compare
from explorer.page.code import bookmarks_python, loading_of


def state(*steps, model="lenet-5", **others):
    return State(model, recipe=Recipe.of([*steps]), **others)


def figures(size, hits=194):
    return KeptFigures(10_000, size, 0.9, Accuracy.from_counts(hits, 200, 200), 1234, 56.5)


HALF = Bookmark("half", state(Prune(sparsity=0.5), Share(32)), figures(5000))
MOST = Bookmark("most", state(Prune(sparsity=0.9), Share(32), Entropy()), figures(1000, 180))


class Page:
    """What the panel is told and tells."""

    def __init__(self):
        self.shown = (MOST.state, MOST.figures)
        self.gone, self.stored, self.files, self.texts = [], [], [], []
        self.panel = BookmarksPanel(self.gone.append, lambda: self.shown, self.stored.append)
        files = self.panel._view.files
        files.give_file = lambda *file: self.files.append(file)
        files.give_text = lambda *text: self.texts.append(text)
        self.table = self.panel._view._table
        self.panel.draw()

    def act(self, action, *texts):
        self.table._handle_custom_msg({"type": action, "texts": list(texts)}, [])

    def ask(self, kind):
        self.panel._view.files._box._handle_custom_msg({"type": "ask", "kind": kind}, [])

    @property
    def names(self):
        return [row[0] for row in self.table.rows]

    @property
    def compared(self):
        return self.panel._view._compared

    @property
    def hides_comparison(self):
        return "ex-hidden" in self.panel._view._place._dom_classes


@pytest.fixture
def page():
    page = Page()
    yield page
    page.panel.close()


@pytest.fixture
def two(page):
    """A page with two kept states."""
    page.panel.stored(bookmarks_to_json([HALF, MOST]), True)
    return page


def test_keeping_shows_and_stores(page):
    assert page.table.suggestion == "Prune 90%, Share 32 values, Huffman"
    page.act("keep", "")
    page.act("keep", "mine")
    assert page.names == ["Prune 90%, Share 32 values, Huffman", "mine"]
    assert page.table.rows[0][1:] == [
        "1.0 KB",
        "10.0×",
        "90.0% (85.1–93.4%, n = 200)",
        "90.0%",
        "1,234",
        "56.5 pJ",
    ]
    assert page.table.message == "Kept mine." and page.table.error == ""
    assert list(bookmarks_from_json(page.stored[-1])) == list(page.panel.kept)


def test_a_state_without_figures_is_kept_and_measured_later(page):
    page.shown = (HALF.state, None)
    page.act("keep", "mine")
    assert page.table.rows[0][1:] == ["—"] * 6
    page.panel.measured(HALF.state, HALF.figures)
    assert page.table.rows[0][1] == "5.0 KB"
    assert bookmarks_from_json(page.stored[-1])["mine"].figures == HALF.figures


def test_errors_are_shown_and_change_nothing(page, monkeypatch):
    page.act("keep", "mine")
    page.act("keep", "mine")
    assert page.table.error == "name: 'mine' is taken; choose another one"
    page.act("read", "[")
    assert page.table.error.startswith("bookmarks: not the JSON that it should be")
    monkeypatch.setattr(bookmark_files, "MAX_CHARACTERS", 500)
    page.act("keep", "one too many")
    assert "at most 500 are kept" in page.table.error
    assert page.names == ["mine"] and "one too many" not in page.panel.kept
    assert len(page.stored) == 1


def test_only_known_actions_with_texts_are_heard(page):
    for content in (
        {"type": "keep", "texts": [3]},
        {"type": "keep", "texts": "mine"},
        {"type": "rename", "texts": ["mine"]},
        {"type": "__class__", "texts": ["mine"]},
        {"type": "keep"},
    ):
        page.table._handle_custom_msg(content, [])
    assert page.names == [] and page.stored == []


def test_going_renaming_removing(two):
    two.act("go", "half")
    assert two.gone == [HALF.state]
    two.act("rename", "half", "a half")
    two.act("remove", "most")
    assert two.names == ["a half"] and two.table.message == "Removed most."
    assert [item.name for item in bookmarks_from_json(two.stored[-1])] == ["a half"]


def test_ticked_states_stand_side_by_side(two):
    two.table.ticked = ["half"]
    assert two.hides_comparison
    two.table.ticked = ["half", "most"]
    assert not two.hides_comparison
    assert two.compared.heads == [["", ""], ["half", ""], ["most", ""]]
    assert two.compared.rows == [
        ["Prune, sparsity", "50.0%", "90.0%"],
        ["Entropy coding", "—", "Huffman"],
        ["Size", "5.0 KB", "1.0 KB"],
        ["Ratio", "2.0×", "10.0×"],
        ["Accuracy", "97.0% (93.6–98.6%, n = 200)", "90.0% (85.1–93.4%, n = 200)"],
    ]
    assert two.panel._view._remark.value.startswith("10 rows are the same in all and left out")
    two.act("remove", "most")
    assert two.hides_comparison


def test_what_the_browser_kept_is_joined_first_and_taken_over_later(page):
    page.act("keep", "mine")
    assert page.panel.stored(bookmarks_to_json([HALF]), True)
    assert page.names == ["mine", "half"]
    assert [item.name for item in bookmarks_from_json(page.stored[-1])] == ["mine", "half"]
    n_stored = len(page.stored)
    assert page.panel.stored(bookmarks_to_json([MOST]), False)
    assert page.names == ["most"] and len(page.stored) == n_stored
    assert not page.panel.stored("<script>", True)
    assert page.names == ["most"]
    assert page.table.error.startswith("What this browser kept could not be read: bookmarks")


def test_files_hold_what_is_ticked_or_all(two):
    two.ask("json")
    name, content, message = two.files[-1]
    assert (name, message) == ("kept-states.json", "kept-states.json, 2 states")
    assert list(bookmarks_from_json(content.decode())) == [HALF, MOST]
    two.table.ticked = ["most"]
    two.ask("csv")
    name, content, message = two.files[-1]
    assert (name, message) == ("kept-states.csv", "kept-states.csv, 1 state")
    assert content.decode().splitlines()[1].startswith("most,lenet-5,default,")
    two.ask("python")
    assert "# most\n" in two.texts[-1][0] and "# half" not in two.texts[-1][0]


def test_a_file_that_is_read_adds_what_is_new(two):
    other = Bookmark("other", state(Share(4)), None)
    two.act("read", bookmarks_to_json([HALF, other]))
    assert two.names == ["half", "most", "other"]
    assert two.table.message == "Read the file: 1 new."


def test_no_files_are_offered_of_nothing(page):
    assert page.panel._view.files._box.choices == []


def test_python_makes_every_network_again():
    finished = Bookmark('a "finished" file', State("deep-compression-lenet-5"))
    untrained = Bookmark("Most", state(Share(4), model="lenet-300-100", weights="random"))
    own = Bookmark("é", State("trained here 1"))
    code = bookmarks_python([MOST, untrained, finished, own])
    assert code.count("import explorer as ex") == 1
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    saved = [call.args[0].value for call in calls if getattr(call.func, "attr", "") == "save"]
    assert saved == ["most.cmpx", "most-2.cmpx", "a-finished-file.cmpx", "network.cmpx"]
    assert "ex.load('lenet-300-100', weights=None)" in code
    assert "ex.open('deep-compression-lenet-5').restore()" in code
    assert loading_of(own.state).startswith("net, data = my_net, my_data")


def rows_of(*recipes):
    items = [Bookmark(str(i), State(recipe=Recipe.of(recipe))) for i, recipe in enumerate(recipes)]
    return list(compare(items).rows)


def test_layers_and_orders_are_compared():
    assert rows_of([Share(4)], {"fc1": [Share(8)], "*": [Share(4)]}) == [
        ("fc1: steps", "as all layers", "Share 8 values")
    ]
    assert rows_of([Share(4), Entropy()], [Entropy(), Share(4)]) == [
        ("Order of steps", "Share, Entropy coding", "Entropy coding, Share")
    ]
    assert rows_of([Prune(sparsity=0.5)], [Prune(threshold=0.25)]) == [
        ("Prune, sparsity", "50.0%", "—"),
        ("Prune, threshold", "—", "0.25"),
    ]
    assert rows_of([Share(4), Share(8)], [Share(4), Share(16)]) == [
        ("Share 2, clusters k", "8", "16")
    ]
    assert rows_of({"fc1": [Share(4)]}, {"fc1": [Share(4, refine=False)]}) == [
        ("fc1: Share, algorithm", "Least error", "Lloyd's iteration")
    ]
    assert rows_of([Entropy()], [Entropy("ans")]) == [("Entropy coding, coder", "Huffman", "ANS")]
    assert rows_of([Product()], [Product(axis=0)]) == [("Product, cut", "Columns", "Rows")]


def test_equal_states_differ_in_nothing():
    found = compare([HALF, Bookmark("again", HALF.state, HALF.figures)])
    assert found.rows == () and found.n_equal > 5
    with pytest.raises(ValueError, match="tick two or more to compare; got 1"):
        compare([HALF])


def test_the_state_in_a_file_is_the_one_in_a_link():
    (item,) = json.loads(bookmarks_to_json(Bookmarks([MOST])))["bookmarks"]
    assert State.from_dict(item["state"]) == State.from_link(MOST.state.to_link())
