"""Choosing a network: loaded in the background, failures in words."""

import pytest

from explorer import zoo
from explorer.page.head import ModelPicker

WAIT_S = 60


@pytest.fixture
def heard():
    return []


@pytest.fixture
def picker(heard):
    def note(kind):
        return lambda *what: heard.append((kind, *what))

    picker = ModelPicker("lenet-300-100", *map(note, ("started", "opened", "failed")))
    yield picker
    picker.close()


def test_a_choice_is_loaded(picker, heard):
    picker._name.value = "lenet-5"
    picker._thread.join(WAIT_S)
    assert heard[0][0] == "started"
    assert "Loading lenet-5" in heard[0][1]
    kind, opened = heard[1]
    assert (kind, opened.network) == ("opened", ("lenet-5", "default"))
    picker._weights.label = "Random"
    picker._thread.join(WAIT_S)
    assert heard[-1][1].network == ("lenet-5", "random")
    assert heard[-1][1].session.data is None
    for _, found in heard[1::2]:
        found.session.close()


def test_what_cannot_be_loaded_is_said_in_words(picker, heard, monkeypatch):
    def fail(name, weights):
        raise zoo.WeightsUnavailable("no connection.")

    monkeypatch.setattr(zoo, "load", fail)
    picker._name.value = "lenet-5"
    picker._thread.join(WAIT_S)
    assert heard[-1] == (
        "failed",
        "lenet-5 could not be loaded: no connection. On this page, choose the weights random. "
        "The page still shows lenet-300-100.",
    )


@pytest.mark.parametrize(("trained", "shown"), [(True, "trained"), (False, "random")])
def test_the_weights_that_are_shown_are_named(trained, shown):
    picker = ModelPicker("lenet-5", print, print, print, trained=trained)
    assert picker._weights.value == shown
    picker.close()


def test_a_compressed_file_of_the_package_is_opened(picker, heard):
    picker._name.value = "deep-compression-lenet-300-100"
    picker._thread.join(WAIT_S)
    kind, opened = heard[-1]
    assert (kind, opened.network) == ("opened", ("deep-compression-lenet-300-100", "default"))
    assert opened.session.figures(opened.recipe).compression_ratio > 40
    assert opened.story is not None
    opened.session.close()


def test_what_is_shown_is_not_loaded_again(picker, heard):
    picker.show("lenet-5", "random")
    assert (picker._name.value, picker._weights.value) == ("lenet-5", "random")
    picker.show("trained here 1", "default")
    assert picker._name.value == "lenet-5"
    assert heard == []
