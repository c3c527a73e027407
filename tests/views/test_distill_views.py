"""Views of the tab on distillation: pictures to pick, bars, tables, lanes."""

import numpy as np
import pytest
import torch

from explorer.measure.accuracy import Accuracy
from explorer.measure.curves import Curves, Line, Reference
from explorer.measure.label_repair import NoisyLabels, Relabeled, bias_effect, corrected
from explorer.measure.soft_targets import dark_knowledge, soft_targets
from explorer.measure.students import Family, Relative, StudentResult, student_table
from explorer.views.images import (
    CorrectedLabelsView,
    PickedImages,
    PickedImagesView,
    corrected_text,
)
from explorer.views.students import (
    DRAWN,
    BiasEffectView,
    FamilyView,
    ShapesView,
    SoftTargetsView,
    StudentsView,
)
from explorer.views.training_curves import LOOKS, SWATCHES, RunAccuracyView

PAIR = ("on labels", "on the teacher")


def judged(n_right, n=100):
    return Accuracy.from_counts(n_right, n, n)


def line(*values):
    return Line(np.arange(len(values)), np.array(values, dtype=np.float64))


def lanes(**held_out):
    return Curves({}, {}, {n: line(*v) for n, v in held_out.items()}, {}, 8)


def test_three_lanes_differ_by_color_and_by_dashes_close_up():
    view = RunAccuracyView()
    view.draw(lanes(a=(0.1, 0.9), b=(0.1, 0.95), c=(0.1, 0.8)))
    front = view._front
    assert [mark.y.tolist() for mark in front] == [[0.1, 0.9], [0.1, 0.95], [0.1, 0.8]]
    assert len({mark.colors[0] for mark in front}) == 3
    assert len({mark.line_style for mark in front}) == 3
    assert len(LOOKS) == len(SWATCHES) == 3
    assert view._y.min == pytest.approx(0.7)
    assert "Now a 90.0%, b 95.0%, c 80.0%" in view.children[2].value
    view.close()


def test_lanes_with_a_teacher_and_before_the_first_step():
    view = RunAccuracyView()
    view.draw(lanes(a=()))
    assert view.children[2].value.startswith("Start a run")
    curves = lanes(a=(0.5,))
    with_teacher = Curves(
        {}, {}, curves.held_out, {}, 4, (2,), Reference("the teacher", 0.99), "seed"
    )
    view.draw(with_teacher)
    legend = view.children[1].value
    assert "next seed" in legend
    assert "the teacher" in legend
    assert "the teacher: 99.0%" in view.children[2].value
    view.close()


def ranking():
    logits = torch.tensor([[3.0, 2.0, 0.0], [5.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    return dark_knowledge(logits, torch.tensor([0, 0, 1]))


def test_pictures_are_named_by_what_they_resemble_and_picked():
    picked = []
    view = PickedImagesView(picked.append)
    pixels = torch.full((2, 2, 1), 7, dtype=torch.uint8)
    view.draw(ranking(), [pixels, None], ("zero", "one", "two"))
    first, second = view._images.tiles
    assert first["name"] == "zero"
    assert first["detail"] == "like one: 26%"
    assert first["label"] == "Image 0: zero, looks like one: 26%"
    assert (first["size"], second["size"]) == ([2, 2, 1], [0, 0, 0])
    assert view._images.pixels == bytes([7] * 4)
    assert "Look at the first: rightly taken for zero, yet 26% for one" in view._caption.value
    view.mark(1)
    assert picked == []
    view._images.picked = 0
    assert picked == [0]
    view.close()


def test_no_picture_where_the_teacher_is_never_right():
    view = PickedImagesView(lambda _position: None)
    view.draw(dark_knowledge(torch.tensor([[0.0, 1.0]]), torch.tensor([0])), [], ("a", "b"))
    assert view._images.tiles == []
    assert "gets no image right" in view._caption.value
    view.close()


def test_picked_pictures_are_drawn_as_others_are():
    source = str(PickedImages._esm)
    assert source.count("export default") == 1
    assert "function drawTile" in source


def test_soft_targets_beside_the_hard_label():
    logits = torch.tensor([2.0, 0.0, 1.0])
    view = SoftTargetsView()
    view.draw(soft_targets(logits, 1.0, 0, "abc"), logits - 3.25)
    assert [row["texts"][0] for row in view._bars.rows] == [
        "\u22121.25",
        "\u22123.25",
        "\u22122.25",
    ]
    view.draw(soft_targets(logits, 1.0, 0, "abc", torch.zeros(3)), logits)
    first, second, _ = view._bars.rows
    assert first["tracks"][0] == [[0.0, 1.0, "before"]]
    assert second["tracks"][0] == []
    assert first["tracks"][1][0][1] == pytest.approx(0.6652, abs=1e-4)
    assert first["texts"] == ["2.00", "66.5%\n33.3%"]
    assert first["label"] == "a: logit 2.00, teacher 66.5%, student 33.3%, the label"
    assert [key[1] for key in view._bars.legend] == ["hard label", "teacher", "student"]
    assert view._bars.legend[2][2] == "1.58 of 1.58 bits"
    assert "33.5% elsewhere, 24.5% on c" in view._caption.value
    view.close()


def test_of_many_classes_the_likeliest_and_the_right_one_are_drawn():
    logits = torch.arange(40.0)
    view = SoftTargetsView()
    view.draw(soft_targets(logits, 1.0, 3), logits)
    names = [row["name"] for row in view._bars.rows]
    assert len(names) == DRAWN
    assert names[0] == "39"
    assert names[-1] == "3"
    view.close()


def graduates(group=""):
    found = []
    for seed in range(2):
        found += [
            StudentResult(PAIR[0], judged(90), 1000, group, seed),
            StudentResult(PAIR[1], judged(94 + seed), 1000, group, seed),
        ]
    return found


def test_students_in_a_table():
    view = StudentsView()
    view.draw(student_table(StudentResult("the teacher", judged(99), 50_000), graduates(), PAIR))
    rows = view._table.rows
    assert rows[0] == ["the teacher", "1.0% (0.2% to 5.4%)", "1", "50,000", "200.0 KB"]
    assert rows[1][0] == "on labels"
    assert "4.5 points less on average" in view._caption.value
    assert "2 of 2 pairs" in view._caption.value
    view.draw(student_table(None, graduates()[:2], PAIR))
    assert "4.0 points less on 100" in view._caption.value
    view.draw(student_table(None, graduates()[:1], PAIR))
    assert "on labels: 10.0% wrong of 100" in view._caption.value
    view.close()


def test_shapes_as_grouped_bars():
    view, found = ShapesView(), [*graduates("shallow")[:2], *graduates("deep")[2:]]
    view.draw(student_table(None, found, PAIR))
    first, second = view._bars.rows
    assert first["name"].startswith("SNN")
    assert [track[0][1:] for track in first["tracks"]] == [[1.0, "before"], [0.6, "after"]]
    assert second["texts"] == ["10.0%\n5.0%"]
    assert "0.0 points on labels, 1.0 points on the teacher" in view._caption.value
    view.draw(student_table(None, graduates("shallow")[:2], PAIR))
    assert "The next shapes follow" in view._caption.value
    view.close()


def test_a_family_says_the_product():
    sizes = {"teacher": 1900, "teacher_small": 100, "student": 1000, "student_small": 50}
    view = FamilyView()
    family = Family(**{n: Relative(n, size, judged(90)) for n, size in sizes.items()}, note="Note.")
    view.draw(family)
    words = view._caption.value
    assert words.startswith("1.9× (student) × 20.0× (recipe) = 38.0×, against 19.0× by the recipe")
    assert words.endswith("Note.")
    assert view._table.rows[3][2] == "38.0×"
    view.draw(None, "Wait.")
    assert (view._table.rows, view._caption.value) == ([], "Wait.")
    view.close()


def test_a_raised_bias_before_and_after():
    logits = torch.tensor([[2.0, 1.0], [2.0, 0.0]])
    view = BiasEffectView()
    view.draw(bias_effect(logits, torch.tensor([1, 0]), 1, 0.0))
    assert "never saw class 1" in view._caption.value
    view.draw(bias_effect(logits, torch.tensor([1, 0]), 1, 1.5, "xy"))
    assert "on 100.0% of it instead of 0.0%, and on 100.0% of all" in view._caption.value
    assert view._bars.rows[0]["name"] == "Class y"
    assert [track[0][1] for track in view._bars.rows[1]["tracks"]] == [0.5, 1.0]
    view.close()


def test_labels_put_right():
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
    noisy, true = torch.tensor([1, 1]), torch.tensor([0, 1])
    told = corrected(logits, noisy, true, noisy != true)
    record = NoisyLabels(told, (Relabeled(0, "1", "0", "0", None),))
    view = CorrectedLabelsView()
    view.draw(record)
    assert view._images.tiles[0]["label"] == "Sample 0: labeled 1, is 0, teacher says 0"
    version = view._images.version
    view.draw(record)
    assert view._images.version == version
    assert "true class for 1 of them (100.0%)" in view._caption.value
    clean = corrected(logits, true, true, torch.zeros(2, dtype=torch.bool))
    assert "No label was made wrong" in corrected_text(clean)
    view.close()
