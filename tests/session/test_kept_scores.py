import json

import pytest

from explorer.history.figures import KeptFigures
from explorer.measure.accuracy import Accuracy
from explorer.measure.metric import Score
from explorer.page.words import accuracy_words

SCORES = [
    (Score(45.3, "perplexity", "", False), "45.3 (perplexity)"),
    (
        Score(-0.7, "gain", "nats", n=40, low=-1.0, high=-0.5),
        "−0.7 nats (gain, −1–−0.5 nats, n = 40)",
    ),
]


@pytest.mark.parametrize(("score", "words"), SCORES)
def test_a_score_is_kept_as_what_it_is(score, words):
    kept = KeptFigures(100, 50, 0.5, score)
    assert KeptFigures.from_dict(json.loads(json.dumps(kept.as_dict())), "it") == kept
    assert accuracy_words(kept) == words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": float("nan")}, "value: expected a finite number"),
        ({"value": 1, "name": "<b>"}, "name: expected plain text"),
        ({"value": 1, "n": -1}, "n: expected a whole number"),
        ({"value": 1, "top1": 1}, "top1"),
    ],
)
def test_a_score_from_a_file_is_read_strictly(given, words):
    figures = {"original_bytes": 2, "size_bytes": 1, "sparsity": 0, "accuracy": given}
    with pytest.raises(ValueError, match=f"it: accuracy.*{words}"):
        KeptFigures.from_dict(figures, "it")


@pytest.mark.parametrize("n_right", [4, 90])
def test_whether_a_network_guesses_is_kept(n_right):
    judged = Accuracy.from_counts(n_right, 95, 100, n_classes=10)
    figures = KeptFigures(1000, 10, 0.99, judged)
    kept = json.loads(json.dumps(figures.as_dict()))
    again = KeptFigures.from_dict(kept, "figures")
    assert again == figures
    assert (again.accuracy.n_classes, again.accuracy.guesses) == (10, n_right == 4)
    assert ("guesses" in accuracy_words(again)) is (n_right == 4)
    del kept["accuracy"]["n_classes"]
    assert KeptFigures.from_dict(kept, "figures").accuracy.n_classes == 0
    kept["accuracy"]["n_classes"] = -1
    with pytest.raises(ValueError, match="figures: accuracy: n_classes"):
        KeptFigures.from_dict(kept, "figures")
