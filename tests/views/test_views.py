import dataclasses

import bqplot
import numpy as np
import pytest
from ipywidgets import Label

from explorer.measure.accuracy import Accuracy
from explorer.measure.maps import Histogram, SparsityMap
from explorer.measure.result import LayerFigures, Result
from explorer.measure.spectrum import Spectrum
from explorer.views.figures import FiguresView
from explorer.views.format import shape_text
from explorer.views.histogram import HistogramView
from explorer.views.layers import LayersView
from explorer.views.maps import SparsityMapView
from explorer.views.parts import card, page, title
from explorer.views.plot import round_places, round_ticks, set_ticks, tick_key, vertical
from explorer.views.run_bar import StatusView
from explorer.views.spectrum import SpectrumView

LAYERS = (
    LayerFigures("fc1", (4, 10), 40, 10, 1280, 320, 0.1, 10, 40),
    LayerFigures("fc2", (2, 4), 8, 8, 256, 512, 0.0, 8, 8),
)
RESULT = Result(
    LAYERS,
    original_bytes=4_000,
    size_bytes=1_000,
    overhead_bytes=100,
    accuracy=Accuracy.from_counts(970, 990, 1000),
    original_accuracy=Accuracy.from_counts(980, 990, 1000),
    energy_pj=500.0,
    original_energy_pj=2_000.0,
    complete=True,
)


def drawn(result):
    view = FiguresView()
    view.draw(result)
    return view.state


def test_figures_say_size_accuracy_and_the_rest():
    state = drawn(RESULT)
    assert (state["size"]["value"], state["size"]["change"]) == ("1.0 KB", "4.0× smaller")
    assert state["accuracy"]["value"] == "97.0%"
    assert state["accuracy"]["change"] == "−1.0 points"
    assert state["accuracy"]["note"] == "95% interval 95.7–97.9%, n = 1,000"
    assert state["sparsity"]["value"] == "62.5%"
    assert state["sparsity"]["text"] == "18 of 48"
    assert (state["macs"]["value"], state["macs"]["change"]) == ("18", "37.5% left")
    assert (state["energy"]["value"], state["energy"]["change"]) == ("500 pJ", "4.0× less")
    assert "estimate" in state["energy"]["note"]


def test_a_smaller_file_is_not_praised_where_the_network_guesses_or_fell_far():
    chance = Accuracy.from_counts(104, 500, 1000, n_classes=10)
    state = drawn(dataclasses.replace(RESULT, accuracy=chance))
    assert (state["size"]["change"], state["size"]["tone"]) == ("4.0× smaller", "")
    assert state["accuracy"]["note"] == "guesses: chance is 10.0%, n = 1,000"
    untrained = dataclasses.replace(RESULT, accuracy=chance, original_accuracy=chance)
    assert drawn(untrained)["size"]["tone"] == ""
    assert drawn(untrained)["accuracy"]["tone"] == "bad"
    fallen = Accuracy.from_counts(500, 900, 1000, n_classes=10)
    state = drawn(dataclasses.replace(RESULT, accuracy=fallen))
    assert state["size"]["tone"] == "" and "guesses" not in state["accuracy"]["note"]
    assert drawn(RESULT)["size"]["tone"] == "good"


def test_a_file_that_is_larger_by_its_header_alone_is_not_called_larger():
    layers = (dataclasses.replace(LAYERS[0], size_bits=1280, n_nonzero=40, macs=40),)
    same = dataclasses.replace(RESULT, layers=layers, size_bytes=4_220)
    size = drawn(same)["size"]
    assert (size["change"], size["tone"]) == ("+220 B header", "")
    grown = (dataclasses.replace(layers[0], size_bits=1281),)
    size = drawn(dataclasses.replace(same, layers=grown))["size"]
    assert (size["change"], size["tone"]) == ("5.5% larger", "bad")


def test_a_weight_among_millions_is_counted():
    layer = LayerFigures("fc", (2, 2), 2_000_000, 1_999_999, 8, 8, 0.0, 1_999_999, 2_000_000)
    state = drawn(dataclasses.replace(RESULT, layers=(layer,)))
    assert (state["sparsity"]["value"], state["sparsity"]["text"]) == ("1 zero", "of 2.0 M")
    assert state["macs"]["change"] == "1 fewer"


def test_a_partial_accuracy_says_how_far_it_is():
    partial = Accuracy.from_counts(500, 510, 512, n_total=2000)
    state = drawn(dataclasses.replace(RESULT, accuracy=partial, complete=False))
    assert state["accuracy"]["note"] == "512 of 2,000 images so far"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"complete": True}, "no data given"),
        ({"complete": False}, "measuring…"),
        ({"error_message": "labels must be integers"}, "labels must be integers"),
    ],
)
def test_a_missing_accuracy_gives_its_reason(changes, reason):
    state = drawn(dataclasses.replace(RESULT, accuracy=None, **changes))
    assert (state["accuracy"]["value"], state["accuracy"]["note"]) == ("—", reason)


def test_unknown_operations_and_energy_are_dashes():
    layers = tuple(dataclasses.replace(layer, macs=None) for layer in LAYERS)
    state = drawn(dataclasses.replace(RESULT, layers=layers, energy_pj=None))
    assert state["macs"]["value"] == state["energy"]["value"] == "—"


def test_a_file_that_grew_is_called_larger():
    assert drawn(dataclasses.replace(RESULT, size_bytes=8_000))["size"]["change"] == "2.0× larger"


def test_layer_rows_hold_kept_part_and_bytes():
    view = LayersView()
    view.draw(RESULT)
    kept, kept_text, left, sizes, label, shape, note = view._list.rows[0]
    assert (shape, note) == (shape_text(LAYERS[0].shape), "")
    assert (kept, kept_text, left, sizes) == (0.25, "25.0%", 0.25, "160 B → 40 B")
    assert label == "fc1: 25.0% of weights kept, 160 B to 40 B, 4.0×"
    assert view._list.rows[1][2] == 2.0
    assert "fc2, 64 B of 1.0 KB" in view._caption.value


def test_a_layer_says_that_it_lost_neurons_or_why_it_was_left_alone():
    view = LayersView()
    alone = dataclasses.replace(LAYERS[1], note="its outputs are the network's classes")
    result = dataclasses.replace(RESULT, layers=(LAYERS[0], alone))
    view.draw(result, {LAYERS[0].name: (9, 9)})
    first, second = view._list.rows
    assert first[5] == f"9 × 9 → {shape_text(LAYERS[0].shape)}" and first[6] == ""
    assert second[6] == "its outputs are the network's classes"
    assert second[4].endswith(". its outputs are the network's classes")
    view.close()


def test_choosing_a_row_calls_back_and_unknown_names_do_not():
    chosen = []
    view = LayersView()
    view.on_select = chosen.append
    view.draw(RESULT)
    view._list._handle_custom_msg({"type": "select", "layer": "fc2"}, [])
    view._list._handle_custom_msg({"type": "select", "layer": "<b>"}, [])
    view.selected = "fc1"
    assert chosen == ["fc2"]
    assert view.selected == "fc1"


def histogram(**changes):
    edges = np.linspace(-1, 1, 5)
    counts = {"before": np.array([1, 4, 4, 1]), "after": np.array([1, 0, 0, 1])}
    return Histogram(edges, **{**counts, **changes})


def test_histogram_draws_counts_threshold_and_levels():
    view = HistogramView()
    view.draw(histogram(threshold=0.5, levels=np.array([-0.9, 0.9], np.float32)))
    np.testing.assert_array_equal(view._before.y, [1, 4, 4, 1])
    np.testing.assert_array_equal(view._after.y, [1, 0, 0, 1])
    np.testing.assert_allclose(view._after.x, [-0.75, -0.25, 0.25, 0.75])
    np.testing.assert_allclose(view._threshold.x[[1, 4]], [-0.5, 0.5])
    np.testing.assert_allclose(view._levels.x[[1, 4]], [-0.9, 0.9], rtol=1e-6)
    assert "2 shared values" in view._caption.value


def test_a_histogram_names_only_what_it_draws():
    view = HistogramView()
    names = ["before", "after", "threshold", "shared values"]
    levels = np.array([-0.9, 0.9], np.float32)
    for changes, drawn in (
        ({}, names[:2]),
        ({"threshold": 0.5}, names[:3]),
        ({"levels": levels}, [*names[:2], names[3]]),
        ({"threshold": 0.5, "levels": levels}, names),
        ({}, names[:2]),
    ):
        view.draw(histogram(**changes))
        legend = view._legend.value
        assert [name for name in names if f"</i>{name}</span>" in legend] == drawn


def test_a_dominant_bar_turns_the_axis_to_square_roots():
    view = HistogramView()
    view.draw(histogram(before=np.array([10_000, 100, 4, 1])))
    np.testing.assert_allclose(view._before.y, [100, 10, 2, 1])
    assert "square-root" in view._count.axis.label
    top = view._count.axis.tick_values[-1]
    assert view._count.axis.tick_labels[tick_key(top)] == "10,000"
    view.draw(histogram())
    np.testing.assert_array_equal(view._before.y, [1, 4, 4, 1])
    assert view._count.axis.label == "count"


def test_drawing_again_keeps_the_marks_and_sends_only_what_changed():
    view = HistogramView()
    view.draw(histogram())
    marks, sent = list(view._figure.marks), []
    view._before.observe(sent.append, ["x", "y"])
    view.draw(histogram(after=np.array([0, 0, 0, 1])))
    assert list(view._figure.marks) == marks
    assert sent == []
    np.testing.assert_array_equal(view._after.y, [0, 0, 0, 1])


def test_map_sends_bytes_and_says_what_is_kept():
    view = SparsityMapView()
    view.draw(SparsityMap(np.array([[0, 1, 0.5]], np.float32), (2, 12), stride=8, fraction=0.5))
    canvas = view._canvas
    assert (canvas.rows, canvas.columns, canvas.data) == (1, 3, {"kept": "0.5000"})
    assert list(canvas.cells) == [0, 255, 128]
    assert canvas.label == "Sparsity map of a 2 × 12 matrix: 50.0% of weights kept"
    assert "One weight in 8 shown." in view._caption.value


def test_spectrum_fills_the_kept_part_and_marks_break_even():
    view = SpectrumView()
    view.draw(Spectrum(np.array([5, 3, 1], np.float32), 2, 3, 1, exact=False))
    np.testing.assert_array_equal(view._kept.x, [1, 2])
    np.testing.assert_array_equal(view._kept.y, [5, 3])
    np.testing.assert_array_equal(view._line.x[1:], [1, 1])
    assert view._label.tick_labels == {"1": "break-even 1"}
    assert "beyond break-even" in view._caption.value
    assert "exact ones follow" in view._caption.value


def test_spectrum_of_many_values_is_thinned_with_its_ends():
    values = np.linspace(9, 1, 4096, dtype=np.float32)
    view = SpectrumView()
    view.draw(Spectrum(values, None, 4096, 2047))
    assert view._all.x[0] == 1 and view._all.x[-1] == 4096 and len(view._all.x) <= 300
    assert len(view._kept.x) == 0


def test_no_matrix_hides_the_figure_until_there_is_one():
    view = SpectrumView()
    view.draw(None)
    assert "ex-none" in view._dom_classes
    assert (
        view._caption.value
        == "Not computed for this layer yet: add the step Low rank to see its singular values."
    )
    view.draw(Spectrum(np.ones(2, np.float32), None, 2, 1))
    assert "ex-none" not in view._dom_classes


def test_status_shows_progress_and_errors():
    view = StatusView()
    view.work("Evaluating", 1.7)
    assert view.progress == 1.0
    view.work("Factoring")
    assert view.progress == -1.0
    view.fail("rank must be at most 300")
    assert (view.error, view.progress) == ("rank must be at most 300", None)
    view.clear()
    view.draw("Ready.")
    assert (view.error, view.progress) == ("", None)


@pytest.mark.parametrize("high", [1, 3, 10, 47, 999, 0.02])
def test_round_ticks_cover_the_range(high):
    ticks = round_ticks(high)
    assert ticks[0] == 0 and ticks[-1] >= high * (1 - 1e-9) and 3 <= len(ticks) <= 8
    assert ticks[-2] < high


def test_vertical_segments_are_broken_by_nan():
    x, y = vertical([1, 2], 0, 1)
    np.testing.assert_array_equal(x, [1, 1, 1, 2, 2, 2])
    np.testing.assert_array_equal(y, [np.nan, 0, 1, np.nan, 0, 1])


def test_markup_in_titles_is_shown_as_text():
    heading = card("<script>", "a & b", Label("x"), "ex-view-a ex-wide").children[0].value
    assert "&lt;script&gt;" in heading and "a &amp; b" in heading
    assert "&lt;img" in title("<img onerror=1>").value


def test_page_has_the_four_areas():
    root = page([Label("a")], [Label("b")], [Label("c")], [Label("d")])
    assert "ex-root" in root._dom_classes
    names = [name for area in root.children[-1].children for name in area._dom_classes]
    assert names == ["ex-head", "ex-figures", "ex-side", "ex-main"]


@pytest.mark.parametrize(
    "make", [HistogramView, SparsityMapView, SpectrumView, LayersView, FiguresView, StatusView]
)
def test_closing_releases_every_widget(make):
    from ipywidgets.widgets.widget import _instances

    before = set(_instances)
    view = make()
    view.close()
    left = {type(_instances[key]).__name__ for key in set(_instances) - before}
    assert left <= {"LayoutModel", "Layout", "LabelStyle", "HTMLStyle", "LinearScale"}


def test_the_map_tells_the_exact_fraction():
    view = SparsityMapView()
    view.draw(SparsityMap(np.array([[0.5, 0.5]], np.float32), (2, 6), stride=2, fraction=0.4))
    assert view.children[0].data == {"kept": "0.4000"}
    assert "40.0% kept" in view._caption.value
    view.close()


@pytest.mark.parametrize(
    ("low", "high", "places"),
    [(-0.24, 0.25, [-0.2, -0.1, 0.0, 0.1, 0.2]), (1.0, 4.0, [1, 1.5, 2, 2.5, 3, 3.5, 4])],
)
def test_ticks_between_two_ends_are_round(low, high, places):
    assert round_places(low, high) == pytest.approx(places)


def test_the_last_accuracy_stands_muted_while_the_next_is_measured():
    view = FiguresView()
    known = Accuracy.from_counts(90, 100, 100)
    view.draw(dataclasses.replace(RESULT, accuracy=known))
    shown = view.state["accuracy"]
    view.draw(dataclasses.replace(RESULT, accuracy=None, complete=False))
    waiting = view.state["accuracy"]
    assert (waiting["value"], waiting["tone"]) == (shown["value"], "waiting")
    assert waiting["note"].startswith("measuring")
    view.close()


def test_ticks_carry_their_labels_and_labels_go_first():
    axis = bqplot.Axis(scale=bqplot.LinearScale())
    told = []
    axis.observe(lambda change: told.append(change["name"]), ["tick_labels", "tick_values"])
    set_ticks(axis, [0.0, 2.5], "{:g} kg".format)
    assert told == ["tick_labels", "tick_values"]
    assert axis.tick_labels == {"0": "0 kg", "2.5": "2.5 kg"}
    assert list(axis.tick_values) == [0.0, 2.5]
    axis.close()
