"""The views of behavior: figures, bars, matrix and pictures, each with what to look for."""

import pytest
import torch
from ipywidgets.widgets.widget import _instances

from explorer.measure.behavior import behavior
from explorer.measure.predictions import Predictions
from explorer.views.agreement import AgreementView, ClassBarsView
from explorer.views.confusion import ConfusionView
from explorer.views.images import ImagesView

KEPT_BY_THEIR_LIBRARIES = {"LayoutModel", "ToggleButtonsStyleModel"}
LABELS = torch.tensor([0, 1, 2, 2])
BEFORE = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.5, 0.3, 0.2], [0.25, 0.25, 0.5]])
AFTER = torch.tensor([[0.4, 0.5, 0.1], [0.2, 0.6, 0.2], [0.3, 0.5, 0.2], [0.25, 0.25, 0.5]])


def record(before=BEFORE, after=AFTER, labels=LABELS, n_total=4, **options):
    both = (Predictions.of(scores, labels) for scores in (before, after))
    return behavior(*both, **{"names": "abc", "n_total": n_total, **options})


def one_hot(answers, n_classes):
    return 9.0 * torch.nn.functional.one_hot(torch.tensor(answers), n_classes).float()


def shades(samples):
    return [torch.full((2, 3, 1), 10 * i, dtype=torch.uint8) if i < 3 else None for i in samples]


def test_agreement_gives_three_figures_with_intervals():
    view = AgreementView()
    view.draw(record())
    state = view._strip.state
    assert state["same"]["value"] == "25.0%" and state["same"]["text"] == "1 of 4"
    assert state["same"]["note"] == "95% interval 4.6–69.9%"
    assert state["moved"]["value"] == "0" and state["moved"]["text"] == "1 lost, 1 gained"
    assert state["moved"]["note"] == "2 right, 2 before"
    assert state["divergence"]["value"] == "0.194"
    assert state["divergence"]["note"].startswith("95% interval 0.0")
    assert view._caption.value == (
        "All 4 samples judged. Look behind the accuracy: 3 answers changed, 1 of them from right "
        "to wrong."
    )
    view.close()


@pytest.mark.parametrize(
    ("before", "after", "n_total", "words"),
    [
        (BEFORE, BEFORE, 4, "All 4 samples judged. Look: no answer and no probability moved."),
        (BEFORE, AFTER, 50, "4 of 50 samples judged."),
        (BEFORE, AFTER, 0, "The first 4 samples judged."),
        (one_hot([0, 1, 2, 2], 3), one_hot([0, 1, 2, 2], 3) * 0.5, 4, "Look at the divergence"),
        (
            one_hot([0, 1, 2, 2], 3),
            one_hot([1, 1, 2, 2], 3),
            4,
            "every changed answer (1) was right before",
        ),
        (
            torch.tensor([[0.4, 0.3, 0.3], [0.3, 0.4, 0.3], [0.3, 0.3, 0.4], [0.3, 0.3, 0.4]]),
            torch.tensor([[0.3, 0.4, 0.3], [0.3, 0.4, 0.3], [0.3, 0.3, 0.4], [0.3, 0.3, 0.4]]),
            4,
            "See how little the probabilities moved for 1 answer to tip: 0.0104 bits",
        ),
    ],
)
def test_agreement_says_what_to_look_for(before, after, n_total, words):
    view = AgreementView()
    view.draw(record(before, after, n_total=n_total))
    assert words in view._caption.value
    view.close()


def test_one_sample_has_no_interval():
    view = AgreementView()
    view.draw(record(BEFORE[:1], AFTER[:1], LABELS[:1], n_total=1))
    assert view._strip.state["divergence"]["note"] == "one sample, no interval"
    assert view._strip.state["moved"]["value"] == "−1"
    view.close()


def test_the_class_that_lost_most_comes_first():
    view = ClassBarsView()
    view.draw(record())
    first, same, gained = view._bars.rows
    assert (first["name"], first["detail"]) == ("a", "n = 1")
    assert first["tracks"] == [[[0.0, 1.0, "before"]], [[0.0, 0.0, "grown"]]]
    assert first["texts"] == ["100.0%\n0.0%", "−100.0 points"]
    assert same["texts"] == ["50.0%\n50.0%", "same"]
    assert gained["tracks"][1] == [[0.0, 1.0, "after"]]
    assert view._caption.value == (
        "See which class pays first: class a goes from 100.0% to 0.0% (95% interval 0.0 to "
        "79.3%), class b gains 100.0 points."
    )
    view.draw(record(after=BEFORE))
    assert view._caption.value == "Look: no class lost right answers."
    view.close()


def test_of_many_classes_the_hardest_hit_are_drawn():
    labels = list(range(40))
    view = ClassBarsView()
    view.draw(
        record(one_hot(labels, 40), one_hot([*labels[1:], 39], 40), torch.tensor(labels), names=())
    )
    assert len(view._bars.rows) == 30 and view._bars.rows[0]["texts"][1] == "−100.0 points"
    assert view._caption.value.endswith("class 39 loses nothing. 10 more classes lost less.")
    view.close()


def test_the_matrix_shows_counts_or_their_change():
    view = ConfusionView()
    view.draw(record().confusion)
    assert view._matrix.names == ["a", "b", "c"]
    assert view._matrix.cells[0] == [["", 0.0, "good"], ["1", 1.0, "bad"], ["", 0.0, "bad"]]
    assert view._matrix.cells[2] == [["", 0.0, "bad"], ["1", 1.0, "bad"], ["1", 0.5, "good"]]
    assert "counts" in view._matrix.label
    assert view.children == (view._choice, view._matrix, view._caption)
    view._choice.value = "Change"
    assert view._matrix.cells[0] == [["−1", 1.0, "bad"], ["+1", 1.0, "bad"], ["", 0.0, "good"]]
    assert view._matrix.cells[1] == [["−1", 1.0, "good"], ["+1", 1.0, "good"], ["", 0.0, "good"]]
    assert view._caption.value == (
        "Look beside the diagonal: a taken for b is the most frequent mistake (once, never before)."
    )
    view.close()


def test_the_pair_that_grew_most_is_named_too():
    answers = ([1, 1, 1, 0, 2, 2], [1, 1, 1, 0, 1, 1])
    labels = torch.tensor([0, 0, 0, 0, 2, 2])
    view = ConfusionView()
    view.draw(record(*(one_hot(part, 3) for part in answers), labels=labels).confusion)
    assert view._caption.value == (
        "Look beside the diagonal: a taken for b is the most frequent mistake (3 times, 3 times "
        "before). c taken for b grew most: 2 times, never before."
    )
    view.draw(record(one_hot([0], 3), one_hot([0], 3), torch.tensor([0])).confusion)
    assert "no class is taken for another" in view._caption.value
    view.close()


def test_many_classes_come_as_a_table():
    labels = torch.arange(40)
    view = ConfusionView()
    view.draw(
        record(one_hot(list(range(40)), 40), one_hot([7] * 40, 40), labels, names=()).confusion
    )
    assert view.children == (view._table, view._caption)
    assert len(view._table.rows) == 30
    assert view._table.rows[0] == ["0", "7", "1", "0"]
    view.draw(record().confusion)
    assert view.children == (view._choice, view._matrix, view._caption)
    view.close()


def test_pictures_carry_answers_and_words():
    galleries = record(thumbnails=shades).galleries
    view = ImagesView()
    view.draw(galleries["lost"])
    (tile,) = view._images.tiles
    assert (tile["name"], tile["detail"], tile["size"]) == ("a → b", "70% → 50%", [2, 3, 1])
    assert tile["label"] == (
        "Sample 0, truly a: taken for a before (70% sure), for b now (50% sure)"
    )
    assert view._images.pixels == bytes(6)
    assert "0 of them are among the tenth (1) that" in view._caption.value
    view.draw(galleries["gained"])
    assert view._images.tiles[0]["name"] == "a → b" and view._images.pixels == bytes([10] * 6)
    view.draw(galleries["next"])
    first, second = view._images.tiles
    assert first["size"] == [0, 0, 0] and first["sample"] == 3 and first["name"][:3] == "c →"
    assert (second["name"], second["detail"]) in {("b → a?", "60%"), ("b → c?", "60%")}
    assert view._images.pixels == bytes([10] * 6)
    assert view._caption.value.startswith("2 answers are right now;")
    view.close()


def test_empty_galleries_say_so():
    same = record(after=BEFORE).galleries
    view = ImagesView()
    view.draw(same["lost"])
    assert view._images.tiles == [] and view._caption.value.startswith("Nothing lost among 4")
    view.draw(same["gained"])
    assert view._caption.value.startswith("Nothing gained among 4")
    wrong = record(after=one_hot([1, 0, 0, 0], 3)).galleries["next"]
    view.draw(wrong)
    assert view._caption.value.startswith("No answer is right any more")
    view.close()


def test_of_many_the_first_are_shown():
    labels = torch.zeros(30, dtype=torch.int64)
    found = record(one_hot([0] * 30, 3), one_hot([1] * 30, 3), labels, n_total=30)
    view = ImagesView()
    view.draw(found.galleries["lost"])
    assert len(view._images.tiles) == 24
    assert view._caption.value.endswith("by chance 3.0 would be. The first 24 are shown.")
    view.close()


@pytest.mark.parametrize("make", [AgreementView, ClassBarsView, ConfusionView, ImagesView])
def test_closing_behavior_views_releases_every_widget(make):
    before = set(_instances)
    view = make()
    mine = set(_instances) - before
    view.close()
    left = {type(_instances[key]).__name__ for key in mine & set(_instances)}
    assert left <= KEPT_BY_THEIR_LIBRARIES | {"Layout", "LabelStyle", "ToggleButtonsStyle"}
