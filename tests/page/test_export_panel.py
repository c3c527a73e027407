import json
import time

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import explorer as ex
from explorer.codec import export
from explorer.page import export as export_panel
from explorer.page.code import loading_text
from explorer.page.export import Exported, ExportPanel

RECIPE = [ex.Prune(sparsity=0.75), ex.Share(n_clusters=4)]
WAIT_S = 30


@pytest.fixture
def session():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 6)).eval()
    session = ex.Session(net, input_shape=(16,))
    session.apply(RECIPE)
    yield session
    session.close()


@pytest.fixture
def panel(session, monkeypatch):
    """A panel whose answers are kept in `answers`."""
    panel = ExportPanel()
    panel.answers = []
    view = panel._view
    monkeypatch.setattr(view, "give_file", lambda *file: panel.answers.append(("file", *file)))
    monkeypatch.setattr(view, "give_text", lambda *text: panel.answers.append(("text", *text)))
    monkeypatch.setattr(view, "fail", lambda words: panel.answers.append(("error", words)))
    panel.draw(Exported(session, session.result))
    yield panel
    panel.close()


def ask(panel, kind):
    """Press a button, and wait for what comes of it."""
    panel._view._box._handle_custom_msg({"type": "ask", "kind": kind}, [])
    deadline = time.monotonic() + WAIT_S
    while not panel.answers and time.monotonic() < deadline:
        time.sleep(0.01)
    return panel.answers[-1]


def test_the_compressed_file_is_the_one_on_the_screen(panel, session, tmp_path):
    _, name, content, message = ask(panel, "cmpx")
    assert name == "network.cmpx" and message == f"network.cmpx, {len(content):,} bytes"
    assert len(content) == session.result.size_bytes
    path = tmp_path / name
    path.write_bytes(content)
    opened, shown = ex.open(path), session.compress()
    for layer in session.layers:
        assert torch.equal(opened[layer].restore(), shown[layer].restore())


def test_dense_weights_are_what_is_evaluated(panel, session, tmp_path):
    _, name, content, _ = ask(panel, "safetensors")
    path = tmp_path / name
    path.write_bytes(content)
    wanted = session.compress().restore().state_dict()
    assert all(torch.equal(tensor, wanted[key]) for key, tensor in load_file(path).items())


def test_the_recipe_reads_back(panel, session):
    _, name, content, _ = ask(panel, "json")
    assert name == "recipe.json" and json.loads(content)["version"] == 1
    assert ex.recipe_from_json(content.decode()) == session.recipe


def test_python_loads_the_network_as_the_page_did(panel, session):
    panel.draw(Exported(session, session.result, loading_text("lenet-5")))
    kind, code, _ = ask(panel, "python")
    assert kind == "text" and "net, data = ex.load('lenet-5')\n" in code
    assert "    ex.Prune(sparsity=0.75),\n    ex.Share(n_clusters=4),\n" in code


@pytest.mark.parametrize("kind", ["cmpx", "safetensors"])
def test_large_files_are_refused_with_a_way_out(panel, kind, monkeypatch):
    monkeypatch.setattr(export_panel, "LIMIT_BYTES", 100)
    monkeypatch.setattr(panel._record.session, "compress", lambda: pytest.fail("not needed"))
    what, words = ask(panel, kind)
    method = export_panel.FORMATS[kind].method
    assert what == "error" and "more than the 100 B" in words
    assert f"small.{method}('network.{kind}')" in words


def test_files_that_turn_out_large_are_refused_too(panel, monkeypatch):
    monkeypatch.setattr(export_panel, "LIMIT_BYTES", 100)
    monkeypatch.setattr(export_panel, "_least_bytes", lambda *_: 0)
    what, words = ask(panel, "cmpx")
    assert what == "error" and words.startswith("network.cmpx has")


def test_a_missing_package_is_named(panel, monkeypatch):
    monkeypatch.setattr(export, "find_spec", lambda name: None if name == "onnx" else name)
    what, words = ask(panel, "onnx")
    assert what == "error" and words.startswith("ONNX files need the package onnx: pip install")


def test_buttons_say_how_large_the_compressed_file_is(panel, session):
    by_kind = {kind: remark for kind, _, remark in panel._view._box.choices}
    assert by_kind["cmpx"] == f".cmpx, {session.result.size_bytes} B"
    assert list(by_kind) == ["cmpx", "safetensors", "onnx", "json", "python"]
