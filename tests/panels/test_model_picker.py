"""Choosing a network: loaded in the background, failures in words."""

import pytest

from explorer import zoo
from explorer.panels.model_picker import ModelPicker

WAIT_S = 60


@pytest.fixture
def heard():
    return []


@pytest.fixture
def picker(heard):
    def note(kind):
        return lambda *what: heard.append((kind, *what))

    picker = ModelPicker("lenet-300-100", *map(note, ("started", "loaded", "failed", "finished")))
    yield picker
    picker.close()


def test_a_choice_is_loaded(picker, heard):
    picker._name.value = "lenet-5"
    picker._thread.join(WAIT_S)
    assert heard[0][0] == "started"
    assert "Loading lenet-5" in heard[0][1]
    kind, loaded = heard[1]
    assert (kind, loaded.name, loaded.trained) == ("loaded", "lenet-5", True)
    picker._weights.value = None
    picker._thread.join(WAIT_S)
    assert not heard[-1][1].trained


def test_what_cannot_be_loaded_is_said_in_words(picker, heard, monkeypatch):
    def fail(name, weights):
        raise zoo.WeightsUnavailable("no connection")

    monkeypatch.setattr(zoo, "load", fail)
    picker._name.value = "lenet-5"
    picker._thread.join(WAIT_S)
    assert heard[-1] == ("failed", "lenet-5 could not be loaded: no connection")


@pytest.mark.parametrize(("trained", "shown"), [(True, "trained"), (False, "random")])
def test_the_weights_that_are_shown_are_named(trained, shown):
    picker = ModelPicker("lenet-5", print, print, print, print, trained=trained)
    assert picker._weights.value == shown
    picker.close()


def test_a_compressed_file_of_the_package_is_opened(picker, heard):
    picker._name.value = "deep-compression-lenet-300-100"
    picker._thread.join(WAIT_S)
    kind, finished = heard[-1]
    assert (kind, finished.name) == ("finished", "deep-compression-lenet-300-100")
    assert finished.model.compression_ratio > 40
    assert finished.origin.name == finished.model.network == "lenet-300-100"
