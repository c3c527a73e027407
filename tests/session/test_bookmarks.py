"""Kept states: names, files, and what is refused on the way back in."""

import csv
import dataclasses
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.share import Share
from explorer.compress.networks.recipe import Recipe
from explorer.history import bookmarks as bookmark_files
from explorer.history.bookmarks import (
    COLUMNS,
    Bookmark,
    Bookmarks,
    bookmarks_from_json,
    bookmarks_to_csv,
    bookmarks_to_json,
)
from explorer.history.figures import KeptFigures
from explorer.history.state import State
from explorer.measure.accuracy import Accuracy
from explorer.page.words import figure_cells

ACCURACY = Accuracy.from_counts(194, 200, 200)
FIGURES = KeptFigures(1000, 100, 0.9, ACCURACY, 1234, 56.5)


def state(percent=90, **others):
    recipe = Recipe.of([Prune(sparsity=percent / 100), Share(32)])
    return State("lenet-5", recipe=recipe, **others)


def kept(*names, figures=FIGURES):
    return Bookmarks(Bookmark(name, state(i), figures) for i, name in enumerate(names))


def names(bookmarks):
    return [item.name for item in bookmarks]


def test_a_state_is_kept_with_its_figures_under_a_name_that_says_its_steps():
    bookmarks = Bookmarks()
    item = bookmarks.keep(state(), FIGURES)
    assert item == Bookmark("Prune 90%, Share 32 values", state(), FIGURES)
    assert bookmarks.keep(state(), FIGURES).name == "Prune 90%, Share 32 values (2)"
    assert bookmarks.keep(state(), None, " mine ").name == "mine"
    assert len(bookmarks) == 3 and "mine" in bookmarks


def test_long_default_names_are_cut():
    bookmarks = Bookmarks()
    long = State(recipe=Recipe.of([Share(32)] * 16))
    first, second = bookmarks.keep(long).name, bookmarks.keep(long).name
    assert len(first) == 60 and first.endswith("…")
    assert len(second) <= 60 and second.endswith("… (2)")


@pytest.mark.parametrize(
    ("name", "words"),
    [("a", "'a' is taken"), ("x" * 61, "at most 60 characters"), ("a\nb", "plain text")],
)
def test_unfit_names_are_refused_and_change_nothing(name, words):
    bookmarks = kept("a", "b")
    with pytest.raises(ValueError, match=words):
        bookmarks.keep(state(), None, name)
    with pytest.raises(ValueError, match=words):
        bookmarks.rename("b", name)
    with pytest.raises(ValueError, match="needs a name"):
        bookmarks.rename("b", "  ")
    assert names(bookmarks) == ["a", "b"]


def test_renaming_keeps_the_place_and_removing_takes_it():
    bookmarks = kept("a", "b", "c")
    bookmarks.rename("b", "d")
    bookmarks.rename("c", "c")
    assert names(bookmarks) == ["a", "d", "c"]
    bookmarks.remove("d")
    assert names(bookmarks) == ["a", "c"]
    with pytest.raises(ValueError, match="nothing is kept under 'd'"):
        bookmarks.remove("d")


def test_a_hundred_are_enough():
    bookmarks = kept(*map(str, range(100)))
    with pytest.raises(ValueError, match="100 states are kept, as many as can be; remove one"):
        bookmarks.keep(state())
    with pytest.raises(ValueError, match="as many as can be"):
        bookmarks.join(kept("another"))
    assert len(bookmarks) == 100


def test_what_could_not_be_read_back_is_not_kept():
    many = State(recipe=Recipe.of({str(i): [] for i in range(65)}))
    with pytest.raises(ValueError, match="65 patterns"):
        Bookmarks().keep(many)
    with pytest.raises(ValueError, match="figures: sparsity: expected a number from 0 to 1"):
        Bookmarks().keep(state(), KeptFigures(10, 10, 1.5))


def test_figures_that_leave_something_out_say_so():
    least = dataclasses.replace(FIGURES, at_least=True)
    assert KeptFigures.from_dict(least.as_dict(), "figures") == least
    assert "at_least" not in FIGURES.as_dict()
    assert figure_cells(least)[4:] == ["at least 1,234", "at least 56.5 pJ"]
    with pytest.raises(ValueError, match="figures: at_least must be true or false"):
        KeptFigures.from_dict(least.as_dict() | {"at_least": 1}, "figures")


def test_better_figures_replace_poorer_ones():
    partly = KeptFigures(1000, 100, 0.9, Accuracy.from_counts(50, 50, 50, 200))
    bookmarks = kept("a", "b", figures=partly)
    assert bookmarks.measured(state(0, tab="Share"), FIGURES)
    assert [item.figures for item in bookmarks] == [FIGURES, partly]
    assert not bookmarks.measured(state(0), FIGURES)


def test_joining_adds_what_is_new_under_free_names():
    bookmarks = kept("a", "b")
    others = [Bookmark("a", state(0)), Bookmark("b", state(55)), Bookmark("c", state(66))]
    assert bookmarks.join(others) == 2
    assert names(bookmarks) == ["a", "b", "b (2)", "c"]
    assert bookmarks["b (2)"].state == state(55)


def test_json_reads_back():
    bookmarks = kept("a", "=b", figures=None)
    bookmarks.keep(state(77, tab="Prune"), FIGURES, "é \"quoted\", 'too'")
    again = bookmarks_from_json(bookmarks_to_json(bookmarks))
    assert list(again) == list(bookmarks)


ITEM = {"name": "a", "state": {}, "figures": FIGURES.as_dict()}


def file_of(*items, **others):
    file = {"format": "compression-explorer-bookmarks", "version": 1, "bookmarks": list(items)}
    return json.dumps(file | others)


def with_figures(**others):
    return file_of(ITEM | {"figures": ITEM["figures"] | others})


def with_accuracy(**others):
    return with_figures(accuracy=ITEM["figures"]["accuracy"] | others)


HOSTILE = {
    "no json": ("[", "bookmarks: not the JSON that it should be"),
    "too long": (" " * 1_000_001, "1,000,001 characters; at most 1,000,000 are read"),
    "a list": ("[]", "bookmarks: expected an object in braces"),
    "another format": (file_of(format="x"), "expected a file of format .* got 'x'"),
    "another version": (file_of(version=2), "version 1, as the page exports it"),
    "unknown part": (file_of(x=1), "bookmarks: no part is called 'x'"),
    "no list": (file_of(bookmarks={}), "expected a list of at most 100"),
    "too many": (file_of(*[ITEM] * 101), "expected a list of at most 100"),
    "twice": (file_of(ITEM, ITEM), "'a' is taken"),
    "no name": (file_of({"state": {}}), "bookmark 1: name: expected .* got None"),
    "empty name": (file_of(ITEM | {"name": " "}), "bookmark 1: name: expected a name"),
    "no state": (file_of({"name": "a"}), "bookmark 1: state: expected an object"),
    "a path": (file_of(ITEM | {"state": {"weights": "/x"}}), "weights must be one of"),
    "no step": (
        file_of(ITEM | {"state": {"recipe": {"version": 1, "layers": {"*": [{}]}}}}),
        '"step" must be one of',
    ),
    "a figure more": (with_figures(x=1), "bookmark 1: figures: no part is called 'x'"),
    "a figure less": (file_of(ITEM | {"figures": {}}), "original_bytes, size_bytes, sparsity must"),
    "no bytes": (with_figures(size_bytes=0), "size_bytes: expected a whole number from 1"),
    "bytes as text": (with_figures(size_bytes="<b>"), "size_bytes: expected a whole number"),
    "sparsity": (with_figures(sparsity=90), "sparsity: expected a number from 0 to 1; got 90"),
    "macs": (with_figures(macs=1.5), "macs: expected a whole number"),
    "energy": (with_figures(energy_pj=-1), "energy_pj: expected a number from 0"),
    "yes": (with_figures(sparsity=True), "sparsity: expected a number"),
    "order": (with_accuracy(low=0.99), "expected low <= top1 <= high"),
    "n": (with_accuracy(n_total=1), "n_total: expected a whole number from 200"),
    "no top1": (with_figures(accuracy={"n": 3}), "top1, top5, low, high, n_total must be given"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_other_files_are_refused_in_words(name):
    text, words = HOSTILE[name]
    with pytest.raises(ValueError, match=words) as raised:
        bookmarks_from_json(text)
    assert len(str(raised.value)) < 1000


@given(st.data())
def test_mutated_files_are_sound_or_refused(data):
    text = list(file_of(ITEM | {"state": state().as_dict()}))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place] = data.draw(st.sampled_from('019eE.-"{}[],: nulltx\\é'))
    try:
        found = bookmarks_from_json("".join(text))
    except ValueError:
        return
    assert list(bookmarks_from_json(bookmarks_to_json(found))) == list(found)


def test_more_than_can_be_read_is_not_written(monkeypatch):
    monkeypatch.setattr(bookmark_files, "MAX_CHARACTERS", 100)
    with pytest.raises(ValueError, match="at most 100 are kept: remove some"):
        bookmarks_to_json(kept("a"))


def test_csv_holds_the_figures():
    rows = list(csv.DictReader(io.StringIO(bookmarks_to_csv(kept("a, b", "c", figures=FIGURES)))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["name"] for row in rows] == ["a, b", "c"]
    assert Recipe.of([Prune(sparsity=0.01), Share(32)]).to_json() == rows[1]["recipe"]
    assert float(rows[0]["accuracy"]) == 0.97 and rows[0]["accuracy_n"] == "200"
    assert float(rows[0]["compression_ratio"]) == 10 and rows[0]["macs"] == "1234"
    without = bookmarks_to_csv(kept("a", figures=None)).splitlines()[1]
    assert without.endswith("," * 10)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_spreadsheets_take_no_name_for_a_formula(sign):
    bookmarks = Bookmarks()
    bookmarks.keep(State(f"{sign}cmd|' /C calc'!A0"), None, f'{sign}HYPERLINK("x")')
    (row,) = csv.DictReader(io.StringIO(bookmarks_to_csv(bookmarks)))
    assert row["name"] == f'\'{sign}HYPERLINK("x")'
    assert row["network"].startswith(f"'{sign}cmd")
