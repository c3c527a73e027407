import json

import pytest

from explorer.history.figures import KeptFigures
from explorer.measure.metric import Score
from explorer.panels.figure_words import accuracy_words

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
