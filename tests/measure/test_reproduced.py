"""Published results beside those reached."""

import pytest

from explorer.measure.published.results import Reproduced, reproduced
from explorer.views.reproduced import ReproducedView, figures_text

FOUND = {
    "name": "deep-compression-lenet-5",
    "published": {"source": "Han", "figures": {"rate": 39, "error": 0.0074, "size_bytes": 44_000}},
    "reached": {"rate": 41.5, "error": 0.009, "size_bytes": 41_000, "n_neurons_ref": 7},
    "test": {"top1": 0.991, "low": 0.989, "high": 0.9925, "n": 10_000},
    "seconds": 600.2,
    "reproduced": True,
}


def test_a_row_by_hand():
    view = ReproducedView()
    view.draw([reproduced(FOUND)])
    table = view.children[0]
    assert table.rows == [
        [
            "deep-compression-lenet-5",
            "39.0×, error 0.74%, 44.0 KB",
            "41.5×, error 0.90%, 41.0 KB",
            "0.90% (0.75% to 1.10%, n = 10,000)",
            "10 min",
            "reached",
        ]
    ]
    assert view.children[1].value.startswith("1 of 1 results")
    view.close()


def test_other_figures_in_words():
    figures = {"n_weights": 22_000, "n_neurons": 1027, "fc_density": 0.0149, "unknown": 3}
    told = "22,000 weights, 1,027 neurons, 1.49% of dense weights left"
    assert figures_text(figures) == told
    assert figures_text({"mean_accuracy_obd": 0.9}) == "obd 90.0%"


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match="results: x has no entry 'test'; write it anew"):
        reproduced({"name": "x", "published": {}})


def test_without_a_published_result_or_a_ranking_every_figure_is_told():
    ours = {"rate": 1023.3, "error": 0.0085, "size_bytes": 1685.0}
    ranks = {"mean_accuracy_obd": 0.9, "mean_accuracy_random": 0.3, "density": 0.1}
    rest = (0.0085, 0.0069, 0.0105, 10_000, 300.0, True)
    view = ReproducedView()
    view.draw([Reproduced("record", "", {}, ours, *rest), Reproduced("obd", "", {}, ranks, *rest)])
    record, ranking = view._table.rows
    assert record[1:3] == ["—", "1,023×, error 0.85%, 1.7 KB"]
    assert ranking[1:3] == ["a ranking", "obd 90.0%, random 30.0%"]
    view.close()


def test_results_that_reached_their_goal_come_first():
    rest = (0.01, 0.007, 0.01, 10_000, 300.0)
    made = [
        Reproduced(name, "", {}, {}, *rest, met)
        for name, met in zip("abc", (False, True, True), strict=True)
    ]
    view = ReproducedView()
    view.draw(made)
    assert [row[0] for row in view._table.rows] == ["b", "c", "a"]
    view.close()
