"""Views of the tab on comparing: what is drawn where, and what clicks do."""

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from explorer.compress.methods.prune import Prune
from explorer.compress.networks.recipe import Recipe
from explorer.measure.accuracy import Accuracy
from explorer.sweep.budget import Fitted
from explorer.sweep.curves import CurvePoint
from explorer.sweep.dials import DIALS
from explorer.sweep.point import Point
from explorer.sweep.solver import Budget, Choice
from explorer.views.budget import BudgetView, budget_words, expected_words, outcome_words
from explorer.views.method_curves import MethodCurvesView, MethodPlot, setting_of, title_of
from explorer.views.plot import series
from explorer.views.sensitivity import SensitivityPlot, SensitivityView, place_of, value_text

KEPT_BY_THEIR_LIBRARIES = {"LinearScale"}


def point(size, top1, top5=1.0, recipe=None):
    accuracy = Accuracy(top1, top5, 100, 0.0, 1.0)
    return Point("", recipe or Recipe(), size, 1000, accuracy, 0.0)


POINTS = (
    CurvePoint("prune", 0.2, point(200, 0.9, 0.95)),
    CurvePoint("prune", 0.1, point(100, 0.5, 0.8)),
    CurvePoint("quantize", 8, point(250, 0.8, 0.97)),
    CurvePoint("prune", 0.1, point(101, 0.85, 0.9), retrained=True),
)


@pytest.fixture
def curves():
    clicked = []
    view = MethodCurvesView(clicked.append)
    view.clicked = clicked
    yield view
    view.close()


def test_each_method_has_its_line_from_low_ratio_to_high(curves):
    curves.draw(MethodPlot(POINTS, upper=False))
    line = curves._lines["prune", False]
    assert (line.x.tolist(), line.y.tolist()) == ([5.0, 10.0], [0.9, 0.5])
    assert curves._lines["quantize", False].y.tolist() == [0.8]
    assert curves._lines["prune", True].line_style == "dashed"
    assert curves._lines["prune", True].x.size == 1
    assert curves._lines["share", False].x.size == 0
    assert curves.best == [POINTS[0], POINTS[3], POINTS[1]]
    assert curves._rings.y.tolist() == [0.9, 0.85, 0.5]
    assert [row[0] for row in curves.table.rows] == ["Pruning", "Pruning, retrained", "Pruning"]


def test_other_accuracy_and_no_retraining(curves):
    curves.draw(MethodPlot(POINTS, metric="top5", retrained=False))
    assert curves._lines["prune", False].y.tolist() == [0.95, 0.8]
    assert curves._lines["prune", True].x.size == 0
    assert curves.best == [POINTS[2], POINTS[0], POINTS[1]]
    assert "top-5" in curves._y_axis.label
    assert "briefly retrained" not in curves._legend.value


def test_only_the_mark_moves_with_the_recipe(curves):
    curves.draw(MethodPlot(POINTS))
    changed = []
    for line in curves._lines.values():
        line.observe(changed.append)
    curves.move(7.0, 0.6)
    assert (curves._here.x.tolist(), curves._here.y.tolist()) == ([7.0], [0.6])
    curves.move(7.0, None)
    assert curves._here.x.size == 0
    assert changed == []


def test_a_ring_can_be_clicked(curves):
    curves.draw(MethodPlot(POINTS))
    curves._clicked({"data": {"index": 1}}, curves.clicked.append)
    curves._clicked({"data": {"index": 99}}, curves.clicked.append)
    curves._clicked({}, curves.clicked.append)
    assert curves.clicked == [POINTS[3]]


def test_nothing_measured_yet(curves):
    curves.draw(MethodPlot())
    assert curves._caption.value.startswith("Press Measure to try every method")
    assert curves.best == []


def test_the_axes_hold_all_points(curves):
    curves.draw(MethodPlot(POINTS, upper=False))
    assert curves._x.min <= 4.0
    assert curves._x.max >= 10.0
    assert (curves._y.min, curves._y.max) == (0.0, 1.0)
    curves.draw(MethodPlot(POINTS, upper=True))
    assert curves._y.min == pytest.approx(0.7)


def test_the_upper_part_does_not_reach_out_to_points_that_it_hides(curves):
    far = (*POINTS, CurvePoint("prune", 0.001, point(5, 0.1)))
    curves.draw(MethodPlot(far, upper=True))
    assert (curves._x.min, curves._x.max) == (1.0, 20.0)
    assert list(curves._x_axis.tick_values) == [1, 2, 5, 10, 20]
    curves.move(60.0, 0.8)
    assert curves._x.max == 100.0
    curves.move(60.0, 0.2)
    assert curves._x.max == 20.0


def test_many_decades_have_a_tick_each(curves):
    far = (*POINTS, CurvePoint("prune", 0.001, point(5, 0.1)))
    curves.draw(MethodPlot(far, upper=False))
    assert curves._x.max == 200.0
    assert list(curves._x_axis.tick_values) == [1, 10, 100]


def test_methods_in_words():
    assert title_of(POINTS[3]) == "Pruning, retrained"
    assert setting_of(POINTS[0]) == "density 20%"
    assert setting_of(POINTS[2]) == "bits 8"
    assert setting_of(CurvePoint("low_rank", 0.2, POINTS[0].point)) == "20% of the break-even rank"


def test_looks_differ():
    looks = [series(i) for i in range(64)]
    assert len({(look.number, look.marker) for look in looks}) == 64
    assert len({look.number for look in looks[:8]}) == 8


@pytest.fixture
def layers():
    chosen, turned = [], []
    view = SensitivityView(chosen.append, lambda *place: turned.append(place))
    view.chosen, view.turned = chosen, turned
    yield view
    view.close()


PLOT = SensitivityPlot(
    "density",
    ["a", "b"],
    {"a": {0.1: 0.3, 1.0: 0.9}, "b": {0.1: 0.8, 1.0: 0.9}},
    layer="b",
    here=0.5,
    original=0.9,
)


def test_a_line_for_each_layer(layers):
    layers.draw(PLOT)
    first, second = layers._lines
    np.testing.assert_allclose(first.x, [np.log2(0.1), 0.0])
    assert (first.y.tolist(), second.y.tolist()) == ([0.3, 0.9], [0.8, 0.9])
    assert second.stroke_width > first.stroke_width
    assert layers._dots.y.tolist() == [0.8, 0.9]
    assert layers._here.x[1] == -1.0
    assert "<b>" in layers._legend.value


def test_points_and_lines_can_be_clicked(layers):
    layers.draw(PLOT)
    layers._point_clicked({"data": {"index": 0}})
    layers._point_clicked({"data": {"index": 5}})
    layers._point_clicked({})
    assert layers.turned == [("b", 0.1)]
    layers._lines[0]._handle_custom_msgs(None, {"event": "element_click", "data": {}}, None)
    assert layers.chosen == ["a"]


def test_many_layers_are_gray_but_for_the_chosen_one(layers):
    names = [f"l{i}" for i in range(12)]
    layers.draw(SensitivityPlot("bits", names, {}, layer="l3"))
    colors = [line.colors[0] for line in layers._lines]
    assert colors[3] == "var(--ex-accent)"
    assert set(colors) - {colors[3]} == {"var(--ex-before)"}
    assert "l3" in layers._legend.value
    assert "l4" not in layers._legend.value


def test_another_network_gets_lines_of_its_own(layers):
    layers.draw(PLOT)
    old = layers._lines
    layers.draw(SensitivityPlot("k", ["x"], {"x": {2: 0.5}}, layer="x"))
    assert [line.y.tolist() for line in layers._lines] == [[0.5]]
    assert all(line.comm is None for line in old)


def test_places_and_words_of_values():
    assert place_of(DIALS["bits"], 3) == 3.0
    assert place_of(DIALS["k"], 256) == 8.0
    assert np.isfinite(place_of(DIALS["density"], 0.0))
    assert value_text(DIALS["density"], 0.15) == "15%"
    assert value_text(DIALS["k"], 16) == "16"


def test_budgets_in_words():
    recipe = Recipe.of({"a": [Prune(sparsity=0.5)]})
    good = Fitted(Budget(size_bytes=500), recipe, point(400, 0.9, recipe=recipe), 0.88, True, 1)
    assert outcome_words(good) == (
        "Budget met, at most 500 B: 400 B (2.5×), 90.0% on 100 samples; predicted: 88.0%."
    )
    bad = Fitted(Budget(accuracy=0.99), recipe, point(400, 0.9), 0.88, False, 8)
    assert outcome_words(bad).startswith("At least 99.0% cannot be met by pruning and sharing")
    assert budget_words(Budget(accuracy=0.5)) == "at least 50.0%"
    choice = Choice({}, 400, 0.1, False)
    assert "cannot be met; the nearest is 400 B" in expected_words(good.budget, choice, 0.9)


def test_the_table_says_what_each_layer_gets():
    view = BudgetView()
    view.draw("Nothing yet.", None, ["a", "b"])
    assert view._table.rows == []
    view.draw("Found.", Recipe.of({"a": [Prune(sparsity=0.5)]}), ["a", "b"])
    assert view._table.rows == [["a", "Prune 50%"], ["b", "as it is"]]
    assert view._caption.value == "Found."
    view.close()


@pytest.mark.parametrize(
    "make",
    [
        lambda: MethodCurvesView(print),
        lambda: SensitivityView(print, print),
        BudgetView,
    ],
)
def test_closing_releases_every_widget(make):
    before = set(_instances)
    view = make()
    if isinstance(view, SensitivityView):
        view.draw(PLOT)
    mine = set(_instances) - before
    view.close()
    left = {type(_instances[key]).__name__ for key in mine & set(_instances)}
    assert left <= KEPT_BY_THEIR_LIBRARIES
