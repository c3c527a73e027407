"""Files that an earlier version wrote open with the figures that it gave them."""

import json
import shutil
from pathlib import Path

import pytest
import subjects
import torch
from safetensors.torch import load_file
from sameness import NEARLY_TRAINED, assert_same_outputs

import explorer as ex
from explorer.compress.networks.recipe import recipe_from_json
from explorer.history.bookmarks import bookmarks_from_json, bookmarks_to_json

HERE = Path(__file__).parent
FIGURES = json.loads((HERE / "figures.json").read_text())
# Their weights are products of matrices, which each machine rounds in its own order.
PRODUCTS = ("low-rank", "low-rank-quantized")
ONE_SAMPLE = 1 / subjects.N_SAMPLES + 1e-9


@pytest.fixture(scope="module")
def decoded():
    return load_file(HERE / "decoded.safetensors")


def test_every_kept_file_is_tested():
    assert sorted(path.stem for path in HERE.glob("*.cmpx")) == sorted(FIGURES["files"])


@pytest.mark.parametrize("name", FIGURES["files"])
def test_a_compressed_file_opens_as_then(name, decoded, tmp_path):
    path, figures = HERE / f"{name}.cmpx", FIGURES["files"][name]
    model = ex.open(path)
    assert model.size_bytes == path.stat().st_size == figures["size_bytes"]
    assert model.original_bytes == figures["original_bytes"]
    assert model.recipe == recipe_from_json(figures["recipe"])
    bits = {layer: record.size_bits for layer, record in model.records.items()}
    assert bits == figures["layer_bits"]
    state = model.state_dict()
    expected = {k: t for k, t in decoded.items() if k.startswith(f"{name}/")}
    assert {f"{name}/{key}" for key in state} == set(expected)
    for key, tensor in state.items():
        if name in PRODUCTS:
            assert_same_outputs(tensor, expected[f"{name}/{key}"])
        else:
            assert torch.equal(tensor, expected[f"{name}/{key}"]), key
    restored = model.restore(subjects.network())
    found = ex.evaluate(restored, subjects.samples()).top1
    assert found == pytest.approx(figures["accuracy"], abs=ONE_SAMPLE)
    assert model.save(tmp_path / "again.cmpx") == figures["size_bytes"]
    assert (tmp_path / "again.cmpx").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", FIGURES["links"])
def test_a_link_leads_to_its_state(name):
    state = ex.State.from_link(FIGURES["links"][name])
    assert state == subjects.STATES[name] == ex.State.from_dict(FIGURES["states"][name])


def test_bookmarks_come_back_with_their_figures():
    text = (HERE / "bookmarks.json").read_text()
    bookmarks = bookmarks_from_json(text)
    assert [item.name for item in bookmarks] == [*subjects.STATES, "measured"]
    assert {name: bookmarks[name].state for name in subjects.STATES} == subjects.STATES
    kept = json.loads(text)["bookmarks"][-1]["figures"]
    figures = bookmarks["measured"].figures
    assert figures.size_bytes == kept["size_bytes"] == FIGURES["files"]["prune"]["size_bytes"]
    assert (figures.macs, figures.energy_pj) == (kept["macs"], kept["energy_pj"])
    assert (figures.accuracy.top1, figures.accuracy.n) == (0.25, subjects.N_SAMPLES)
    again = bookmarks_from_json(bookmarks_to_json(bookmarks))
    assert list(again) == list(bookmarks)


def test_a_sweep_goes_on_from_its_store(tmp_path):
    store = shutil.copy(HERE / "sweep.sqlite", tmp_path / "sweep.sqlite")
    recipes = [subjects.RECIPES[name] for name in subjects.SWEPT]
    net, data = subjects.network(), subjects.samples()
    points = list(ex.sweep(net, data, recipes, store=store, input_shape=subjects.IMAGE))
    assert subjects.point_figures(points) == FIGURES["sweep"]


def test_training_goes_on_from_its_checkpoint():
    checkpoint = ex.Checkpoint.load(HERE / "run.safetensors")
    assert checkpoint.step == subjects.STOPPED_AT
    net, data = subjects.network(), subjects.samples()
    *_, last = ex.train(net, data, subjects.TRAINING, resume=checkpoint)
    assert last.step == FIGURES["training"]["step"]
    assert last.loss == pytest.approx(FIGURES["training"]["loss"], rel=1e-4)
    expected = load_file(HERE / "trained.safetensors")
    for name, tensor in last.net.state_dict().items():
        assert_same_outputs(tensor, expected[name], NEARLY_TRAINED)
