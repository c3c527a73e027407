"""Methods of other packages: how they are found, and what is refused in words."""

import dataclasses
import importlib

import pytest
import torch
from example_method.installing import (
    METHOD,
    PANEL,
    Halved,
    HalvedCodes,
    children,
    install,
    network,
    samples,
)
from example_method.powers_of_two import PowersCoded, PowersOfTwo
from example_method.powers_of_two_panel import TOPIC
from ipywidgets import Label

import explorer as ex
from explorer.codec import file
from explorer.compress.methods.registry import MethodRegistry
from explorer.compress.methods.setting import Setting
from explorer.compress.records.coded import ScalarCoded
from explorer.page.topics import page_topics


@pytest.fixture
def installed(tmp_path, monkeypatch):
    install(tmp_path / "site", "example-method", METHOD + PANEL)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return tmp_path / "site"


def renamed(name, **attributes):
    return dataclasses.dataclass(frozen=True)(type(name, (PowersOfTwo,), attributes))


class Unready(Setting):
    pass


class Shadow(PowersCoded):
    kind = "shared"


class Unnamed(ScalarCoded):
    pass


@pytest.mark.parametrize(
    ("method", "error", "words"),
    [
        (renamed("Prune"), ValueError, "Prune is the name of a built-in step; give the class an"),
        (renamed("Other", records=(Shadow,)), ValueError, "'shared' is the kind of the built-in S"),
        (renamed("Other", records=(Unnamed,)), TypeError, "Unnamed is no complete record: it lac"),
        (renamed("Other", records=(Setting,)), TypeError, "records are classes derived from Recor"),
        (Unready, TypeError, "Unready is no complete method: it lacks check, describe, encode"),
        (PowersCoded, TypeError, "a method is a class derived from Setting; got .*PowersCoded"),
    ],
)
def test_what_is_no_method_of_its_own_is_refused(method, error, words):
    with pytest.raises(error, match=words):
        MethodRegistry([method])


def test_a_recipe_refuses_names_that_are_taken():
    with pytest.raises(ValueError, match="Quantize is the name of a built-in step"):
        ex.compress(network(), [renamed("Quantize")()])
    with pytest.raises(ValueError, match="two methods are called PowersOfTwo"):
        ex.Recipe.of([PowersOfTwo(), renamed("PowersOfTwo")()])
    one, other = renamed("One"), renamed("Two", records=(type("Same", (PowersCoded,), {}),))
    with pytest.raises(ValueError, match="two methods leave records of the kind 'powers_of_two'"):
        ex.Recipe.of([one(), other()])


def test_a_record_that_breaks_its_promise_is_not_written():
    class Wordy(HalvedCodes):
        def write_side_info(self):
            return b"too much"

    record = Wordy(**vars(Halved()(torch.ones(3))))
    with pytest.raises(ValueError, match=r"'halved' does not write the .* mend its `write`"):
        b"".join(file.write_record(record))


BROKEN = {
    "module": ("[compression_explorer.topics]\nlost = nowhere.at_all:TOPIC\n", "No module named"),
    "thing": ("[compression_explorer.topics]\nodd = math:pi\n", "a topic is a Topic; got 3.14"),
    "method": ("[compression_explorer.methods]\nodd = math:pi\n", "derived from Setting; got 3.14"),
    "title": (
        "[compression_explorer.topics]\nmine = explorer.page.topics:TOPICS\n",
        "'Prune' is the title of another tab",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_entry_point_leaves_the_page_working(name, installed, monkeypatch):
    entries, words = BROKEN[name]
    install(installed.parent / "other", "broken-thing", entries)
    monkeypatch.syspath_prepend(str(installed.parent / "other"))
    app = ex.Explorer(network(), samples(), recipe=[PowersOfTwo()])
    assert app.wait(60).accuracy.n == 60
    (said,) = [b.value for b in children(app, Label) if b.value.startswith("A method is missing")]
    assert "of broken-thing could not be loaded" in said
    assert words in said
    assert "Powers of two" in app._topics.titles
    app.close()


def test_what_could_not_be_loaded_is_told_where_it_may_be_the_cause(tmp_path, monkeypatch):
    install(tmp_path / "x", "broken-thing", BROKEN["method"][0])
    monkeypatch.syspath_prepend(str(tmp_path / "x"))
    text = '{"version": 1, "layers": {"*": [{"step": "Odd"}]}}'
    with pytest.raises(ValueError, match=r"got \{'step': 'Odd'\}; 'odd' of broken-thing could no"):
        ex.recipe_from_json(text)


def test_two_packages_with_the_same_name_are_told_apart(installed, monkeypatch):
    entries = METHOD.replace("powers =", "twice =") + PANEL.replace("powers =", "twice =")
    install(installed.parent / "other", "same-again", entries)
    monkeypatch.syspath_prepend(str(installed.parent / "other"))
    assert MethodRegistry().failures == ()
    topics, failures = page_topics()
    assert (topics[-1], failures) == (TOPIC, ())
    clash = METHOD.replace("powers = example_method.powers_of_two:", "zero = test_found_methods:")
    clash = clash.replace("PowersOfTwo", "CLASH")
    install(installed.parent / "third", "clashing", clash)
    monkeypatch.syspath_prepend(str(installed.parent / "third"))
    (failure,) = MethodRegistry().failures
    assert failure.startswith("'zero' of clashing was left out: two methods are called PowersOfTwo")


CLASH = renamed("PowersOfTwo")


def test_what_is_built_in_or_given_needs_no_search(monkeypatch):
    methods = importlib.import_module("explorer.compress.methods.registry")
    monkeypatch.setattr(methods, "found", lambda *_: pytest.fail("searched"))
    small = ex.compress(network(), [ex.Prune(sparsity=0.5), ex.Quantize(), ex.Entropy()])
    assert file.decode(file.encode(small)).recipe == small.recipe
    own = ex.compress(network(), [ex.LowRank(rank=2), PowersOfTwo(), ex.Entropy()])
    assert file.decode(file.encode(own), [PowersOfTwo]).recipe == own.recipe
