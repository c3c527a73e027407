"""How a small network came to be, from what a reproduction wrote."""

import numpy as np
import pytest

from explorer.measure.published.results import story
from explorer.reproduce.table import results
from explorer.views.reproduced import ProvenanceView


def moment(stage, epoch, size_bytes, accuracy):
    return {
        "stage": stage,
        "epoch": epoch,
        "density": 100 / size_bytes,
        "size_bytes": size_bytes,
        "accuracy": accuracy,
        "seconds": 1.0,
    }


FOUND = {
    "name": "tiny",
    "reached": {"rate": 40.0, "size_bytes": 100},
    "history": [
        moment("dense", 0, 4000, 0.99),
        moment("prune", 1, 1000, 0.97),
        moment("prune", 2, 400, 0.98),
        moment("share", 3, 100, 0.985),
    ],
    "validation": {"n": 5000},
    "test": {"top1": 0.98},
    "seconds": 120.0,
}


def test_a_story_by_hand():
    told = story(FOUND)
    assert told.rate.values.tolist() == [1.0, 4.0, 10.0, 40.0]
    assert told.rate.steps.tolist() == told.accuracy.steps.tolist() == [0, 1, 2, 3]
    assert told.stages == (
        (0, "start"),
        (0, "prune and retrain"),
        (2, "share values and train them"),
    )
    assert told.n_epochs == 3
    assert told.test_error == pytest.approx(0.02)


@pytest.mark.parametrize("missing", ["history", "reached"])
def test_a_result_without_a_file_has_no_story(missing):
    assert story({key: value for key, value in FOUND.items() if key != missing}) is None


def test_every_bundled_file_has_a_story_that_ends_with_its_size():
    from explorer.library import open_model
    from explorer.reproduce.table import bundled

    told = {each["name"]: story(each) for each in results()}
    for name in bundled():
        model = open_model(name)
        assert told[name].size_bytes == model.size_bytes
        assert told[name].rate.values[-1] == pytest.approx(model.compression_ratio)


def test_the_view_says_what_was_reached():
    view = ProvenanceView()
    view.draw(story(FOUND))
    words = view.children[-1].value
    assert "tiny: prune and retrain from epoch 0; share values and train them from epoch 2" in words
    assert "100 B" in words
    assert "test error of 2.00%" in words
    line = next(m for m in view._rate._front if len(m.x))
    assert np.array_equal(line.y, [1.0, 4.0, 10.0, 40.0])
    view.close()
