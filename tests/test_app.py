"""The widget without a browser: dials in, figures out, errors shown, everything released."""

import time

import pytest
import torch
from ipywidgets.widgets.widget import _instances
from safetensors.torch import save_file
from torch import nn
from torch.utils.data import TensorDataset
from waiting import until

import explorer as ex
from explorer import zoo
from explorer.page import served as page_module
from explorer.page.open import open_network
from explorer.page.topics import TOPICS
from explorer.views.run_bar import StatusView

WAIT_S = 60


def found(widget, kind):
    """Widgets with a style class, wherever they are."""
    own = [widget] if kind in getattr(widget, "_dom_classes", ()) else []
    return own + [
        inner for child in getattr(widget, "children", ()) for inner in found(child, kind)
    ]


def status(app):
    (line,) = found(app, "ex-status-box")
    return line


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 6)).eval()


def data():
    inputs = torch.randn(200, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return TensorDataset(inputs, network()(inputs).argmax(1))


@pytest.fixture
def app():
    app = ex.Explorer(network(), data())
    yield app
    app.close()


def test_it_starts_with_the_network_as_it_is(app):
    result = app.wait(WAIT_S)
    assert app.recipe == ex.Recipe.of([ex.Prune(sparsity=0.0)])
    assert result.accuracy.top1 == 1.0
    assert app.layer == "1"
    assert app.result is app.session.result


def test_a_recipe_that_is_assigned_is_carried_out(app):
    app.recipe = [ex.Prune(sparsity=0.9), ex.Share(n_clusters=8)]
    expected = ex.compress(network(), app.recipe)
    result = app.wait(WAIT_S)
    assert app.recipe == ex.Recipe.of([ex.Prune(sparsity=0.9), ex.Share(n_clusters=8)])
    assert result.size_bytes == expected.size_bytes == app.compress().size_bytes
    assert result.accuracy == ex.evaluate(expected.restore(), data())
    app.recipe = {"3": [ex.Quantize(bits=2)], "*": [ex.LowRank(rank=3)]}
    assert app.result["3"].steps == ("Quantize 2 bits",)
    assert app.result["1"].steps == ("Rank 3",)


def test_a_turned_dial_recompresses_at_once(app):
    (dial,) = found(app, "ex-dial-sparsity")
    dial.value = 75
    assert app.recipe == ex.Recipe.of([ex.Prune(sparsity=0.75)])
    assert app.result.sparsity == pytest.approx(0.75, abs=0.01)
    result = app.wait(WAIT_S)
    expected = ex.compress(network(), [ex.Prune(sparsity=0.75)])
    assert result.accuracy == ex.evaluate(expected.restore(), data())


def test_a_step_can_be_added_and_switched_off(app):
    app._topics.topic = TOPICS[1]
    found(app, "ex-add-quantize")[0].click()
    assert app.recipe == ex.Recipe.of([ex.Prune(sparsity=0.0), ex.Quantize(bits=8)])
    found(app, "ex-switch")[0].value = False
    assert app.recipe == ex.Recipe.of([ex.Quantize(bits=8)])
    assert app.result["1"].steps == ("Quantize 8 bits",)


def test_the_layer_that_is_shown_can_be_chosen(app):
    app.layer = "3"
    assert app.layer == "3"
    with pytest.raises(ValueError, match="layer must be one of 1, 3; got 'fc1'"):
        app.layer = "fc1"
    assert app.layer == "3"


def test_recipes_that_do_not_fit_are_refused_and_change_nothing(app):
    app.recipe = [ex.Prune(sparsity=0.5)]
    with pytest.raises(ValueError, match="pattern 'fc1' matches no layer; the layers are: 1, 3"):
        app.recipe = {"fc1": [ex.Share(4)]}
    with pytest.raises(TypeError, match="recipe must be a list of steps"):
        app.recipe = "prune"
    assert app.recipe == ex.Recipe.of([ex.Prune(sparsity=0.5)])


def test_errors_of_a_turned_dial_are_shown_in_words(app, monkeypatch):
    def fail(recipe):
        raise ValueError("the weights are gone")

    monkeypatch.setattr(app.session, "submit", fail)
    (dial,) = found(app, "ex-dial-sparsity")
    dial.value = 40
    assert status(app).error == "the weights are gone (ValueError)"
    monkeypatch.undo()
    dial.value = 50
    assert status(app).error == ""


def test_errors_of_the_data_are_shown_in_words():
    app = ex.Explorer(network(), TensorDataset(torch.randn(9, 1, 4, 4), torch.full((9,), 77)))
    try:
        assert "labels must be from 0 to 5" in app.wait(WAIT_S).error_message
        app.session._trials._worker.close()
        words = "accuracy could not be measured: ValueError: data: labels must be from 0 to 5"
        assert status(app).error.startswith(words)
    finally:
        app.close()


def test_a_network_without_data_shows_its_figures():
    app = ex.Explorer(network(), recipe=[ex.Binarize()], input_shape=(1, 4, 4))
    try:
        result = app.wait(WAIT_S)
        assert result.complete
        assert result.accuracy is None
        assert result.original_macs == 16 * 12 + 12 * 6
        assert status(app).message.startswith("264 weights recompressed in")
    finally:
        app.close()


def test_a_metric_of_ones_own():
    app = ex.Explorer(network(), metric=lambda net: 0.25)
    try:
        assert app.wait(WAIT_S).accuracy.top1 == 0.25
    finally:
        app.close()


def test_what_cannot_be_explored_is_refused():
    with pytest.raises(ValueError, match="has no dense or convolutional layer"):
        ex.Explorer(nn.ReLU())
    net = network()
    net[3].weight.data[0, 0] = float("nan")
    with pytest.raises(ValueError, match="layer '3': weight holds NaN"):
        ex.Explorer(net)


def test_pruning_by_second_derivatives_prepares_in_the_background(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    told = []
    work = StatusView.work
    monkeypatch.setattr(
        StatusView, "work", lambda self, *what: (told.append(what), work(self, *what))
    )
    app = ex.Explorer(network(), data(), recipe=[ex.Prune(sparsity=0.5)])
    try:
        app.wait(WAIT_S)
        (criterion,) = found(app, "ex-dial-criterion")
        criterion.value = "obd"
        deadline = time.monotonic() + WAIT_S
        while app.session.recipe != app.recipe and time.monotonic() < deadline:
            time.sleep(0.01)
        assert app.session.recipe == ex.Recipe.of([ex.Prune(sparsity=0.5, criterion="obd")])
        result = app.session.wait(WAIT_S)
        expected = ex.compress(network(), app.recipe, data=data())
        assert result.size_bytes == expected.size_bytes
        assert result.accuracy == ex.evaluate(expected.restore(), data())
        words, parts = zip(*told, strict=True)
        assert "Second derivatives" in words
        assert all(0 <= part <= 1 for part in parts)
        app.session._trials._worker.close()
        assert status(app).error == "" and status(app).progress is None
    finally:
        app.close()


def test_removed_neurons_show_in_the_layers_and_the_close_up():
    app = ex.Explorer(
        network(), data(), recipe=[ex.PruneNeurons(fraction=0.5)], input_shape=(1, 4, 4)
    )
    try:
        assert app.wait(WAIT_S).complete
        (layers,) = found(app, "ex-layers")
        assert [row[5] for row in layers.rows] == ["12 × 16 → 6 × 16", "6 × 12 → 6 × 6"]
        assert [row[6] for row in layers.rows] == ["", "its outputs are the network's classes"]
        (canvas,) = found(app, "ex-map")
        assert canvas.data["kept"] == "1.0000" and "6 × 16 matrix" in canvas.label
        assert "(ValueError)" not in status(app).error
    finally:
        app.close()


def test_closing_releases_the_controls_and_ends_the_threads():
    app = ex.Explorer(network(), data())
    dial = found(app, "ex-dial-sparsity")[0]
    app.wait(WAIT_S)
    app.close()
    assert dial.comm is None
    assert app.comm is None
    with pytest.raises(RuntimeError, match="the session is closed"):
        app.session.submit([])
    app.close()


def test_another_network_takes_its_place(app):
    app.recipe = {"3": [ex.Share(4)], "*": [ex.Prune(sparsity=0.5)]}
    old = app.session
    app._adopt(open_network("lenet-5"))
    assert app.session.layers == ("conv1", "conv2", "fc1", "fc2")
    assert app.recipe == ex.Recipe.of([ex.Prune(sparsity=0.5)])
    assert app.layer == "fc1"
    assert app.wait(WAIT_S).accuracy.n == 2000
    with pytest.raises(RuntimeError, match="the session is closed"):
        old.submit([])


@pytest.mark.parametrize(
    ("wanted", "name", "error"),
    [
        ("", "lenet-300-100", ""),
        ("lenet-5", "lenet-5", ""),
        ("no-such-net", "lenet-300-100", "no-such-net could not be loaded: name: expected one"),
    ],
)
def test_the_served_page(wanted, name, error, monkeypatch):
    monkeypatch.setenv(page_module.MODEL_VARIABLE, wanted)
    app = page_module.page()
    try:
        assert found(app, "ex-model")[0].value == name
        app.wait(WAIT_S)
        app.session._trials._worker.close()
        assert "weights recompressed in" in status(app).message
        assert "accuracy on 2,000 images" in status(app).message
        assert status(app).error.startswith(error)
        assert bool(status(app).error) is bool(error)
    finally:
        app.close()


def test_a_file_with_a_nan_gives_the_first_network_and_its_name(monkeypatch, tmp_path):
    net, _ = ex.load("lenet-5")
    with torch.no_grad():
        net.fc2.weight[0, 0] = float("nan")
    save_file(net.state_dict(), tmp_path / "nan.safetensors")
    monkeypatch.setenv(page_module.MODEL_VARIABLE, "lenet-5")
    monkeypatch.setenv(page_module.WEIGHTS_VARIABLE, str(tmp_path / "nan.safetensors"))
    app = page_module.page()
    try:
        assert app.session.layers == ("fc1", "fc2", "fc3")
        assert "lenet-5 could not be loaded: " in status(app).error
        assert "'fc2': weight holds NaN" in status(app).error
    finally:
        app.close()


def test_what_the_disk_could_not_keep_is_told(app, monkeypatch):
    monkeypatch.setattr(type(app.session), "problem", "nothing could be kept in /x: it is full")
    app.recipe = [ex.Prune(sparsity=0.75)]
    app.wait(WAIT_S)
    until(lambda: "For next time, nothing could be kept in /x" in status(app).message)


def test_a_page_is_served_also_where_the_bundled_weights_are_gone(monkeypatch, tmp_path):
    monkeypatch.setattr("explorer.zoo.bundled.files", lambda _package: tmp_path)
    app = page_module.page()
    try:
        assert app.wait(WAIT_S).accuracy is None
        assert app.session.layers == ("fc1", "fc2", "fc3")
        assert app.state.weights == "random"
        assert status(app).error.startswith("lenet-300-100 could not be loaded: weights: no file")
    finally:
        app.close()


FINISHED = {
    "deep-compression-lenet-300-100": 0,
    "deep-compression-lenet-5": 0,
    "record-lenet-5": 100,
}


@pytest.mark.parametrize("name", FINISHED)
def test_a_finished_file_is_shown_with_its_size_beside_the_network_that_it_was_made_of(name):
    """The record's biases are halves, which are stored whole once they are decoded."""
    small = ex.open(name)
    loaded = zoo.load(small.network)
    app = ex.Explorer(loaded.net, loaded.data, picker=loaded)
    try:
        app._adopt(open_network(name))
        result = app.wait(WAIT_S)
        assert 0 <= result.size_bytes - small.size_bytes <= FINISHED[name]
        assert result.original_bytes == small.original_bytes
        assert result.accuracy == ex.evaluate(small.restore(), loaded.data.eval)
        assert result.original_accuracy == ex.evaluate(loaded.net, loaded.data.eval)
        app._topics.topic = next(topic for topic in TOPICS if topic.title == "Combine")
        words = [caption.value for caption in found(app, "ex-caption")]
        assert any(text.startswith(f"{name}: prune and retrain") for text in words)
    finally:
        app.close()


def test_closing_leaves_no_widget_in_the_kernel():
    """Scales are held by bqplot itself."""
    before = set(_instances)
    app = ex.Explorer(network(), data())
    app.wait(WAIT_S)
    for title in app._topics.titles:
        app._topics.open(title)
    app.recipe = [ex.Share(4), ex.Quantize(bits=3)]
    app.recipe = {"3": [ex.LowRank(rank=2)], "*": []}
    app.wait(WAIT_S)
    made = set(_instances) - before
    assert len(made) > 400
    app.close()
    left = {key: type(_instances[key]).__name__ for key in set(_instances) - before}
    assert set(left.values()) <= {"LinearScale"}
    assert len(left) < 0.1 * len(made)
