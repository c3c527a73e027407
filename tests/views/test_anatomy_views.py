import pytest
from ipywidgets.widgets.widget import _instances
from torch import nn

from explorer.measure.anatomy import anatomy
from explorer.measure.energy import ENERGY_45NM
from explorer.measure.energy_bill import Demand, EnergyBills, energy_bill
from explorer.measure.formulas.training import dram_example
from explorer.measure.published.devices import KIB, MIB, Budget, Fit
from explorer.measure.published.networks import Place, PublishedNetwork, Tradeoffs
from explorer.measure.published.pruning import (
    HAN2015,
    LayerCost,
    LayerCosts,
    PublishedLayer,
    PublishedPruning,
)
from explorer.views.anatomy import AnatomyView
from explorer.views.costs import DevicesView, LayerCostsView, OperationCostsView
from explorer.views.energy_bill import EnergyBillView, power_text
from explorer.views.tradeoffs import TradeoffsView
from explorer.zoo.architectures import lenet_5, lenet_300_100

LENET_5 = anatomy(lenet_5(), (1, 28, 28))
KEPT_BY_THEIR_LIBRARIES = {
    "LayoutModel",
    "Layout",
    "SliderStyle",
    "HTMLStyle",
    "LabelStyle",
    "LinearScale",
}
CHOICES = ("conv1", "conv2", "fc1", "fc2")


def drawn(view, *record):
    view.draw(*record)
    return view


def test_each_layer_has_two_bars_and_its_numbers():
    view = drawn(AnatomyView(), LENET_5, CHOICES)
    rows = view._table.rows
    assert [row["name"] for row in rows] == [*CHOICES, "whole network"]
    assert rows[1]["shares"] == [0.0581, 0.6978]
    assert rows[1]["texts"] == ["25,000", "5.8%", "1.6 M", "69.8%", "100.2 KB", "3,200"]
    assert rows[1]["detail"] == "Conv2d 50 × 20 × 5 × 5"
    assert rows[1]["label"].startswith("conv2, Conv2d 50 × 20 × 5 × 5: 25,000 weights, 5.8%;")
    assert rows[-1]["shares"] == [] and rows[-1]["texts"][0] == "430,500"
    view.close()


def test_what_dominates_is_said_in_a_sentence():
    view = drawn(AnatomyView(), LENET_5, CHOICES)
    assert view._caption.value.startswith(
        "fc1 holds 93% of the weights; conv2 does 70% of the multiplications. See"
    )
    view.draw(anatomy(lenet_300_100(), None))
    assert view._caption.value.startswith("fc1 holds 88% of the weights. To see multiplications")
    assert view._table.rows[0]["texts"][2:4] == ["—", ""]
    assert len(view._table.rows[0]["shares"]) == 1
    view.close()


def test_many_alike_layers_are_named_by_their_kind_and_the_others_summed_up():
    layers = [nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8)) for _ in range(6)]
    view = drawn(AnatomyView(), anatomy(nn.Sequential(*layers), (8,)))
    assert "its 6 Linear layers hold 89% of the weights" in view._caption.value
    norms = [row for row in view._table.rows if "BatchNorm1d" in row["detail"]]
    assert len(norms) == 6  # each holds more than a hundredth of the weights
    wide = [nn.Sequential(nn.Linear(200, 200), nn.BatchNorm1d(200)) for _ in range(3)]
    view.draw(anatomy(nn.Sequential(*wide), (200,)))
    assert [row["name"] for row in view._table.rows][-2:] == [
        "3 others (BatchNorm1d)",
        "whole network",
    ]
    view.close()


def test_a_row_that_is_clicked_is_chosen():
    chosen = []
    view = drawn(AnatomyView(), LENET_5, ("conv1", "fc1"))
    view.on_select = chosen.append
    for content in (
        {"type": "select", "layer": "fc1"},
        {"type": "select", "layer": "conv2"},
        {"type": "select", "layer": "nowhere"},
        {"type": "other", "layer": "conv1"},
    ):
        view._receive(view._table, content, [])
    assert chosen == ["fc1"] and view.selected == "fc1"
    assert [row["choice"] for row in view._table.rows] == ["conv1", "", "fc1", "", ""]
    view.selected = "conv1"
    assert chosen == ["fc1"]
    view.close()


def test_the_same_layers_are_sent_once():
    view = drawn(AnatomyView(), LENET_5, CHOICES)
    version = view._table.version
    view.draw(LENET_5, CHOICES)
    assert view._table.version == version
    view.draw(LENET_5, ())
    assert view._table.version == version + 1
    view.close()


COSTS = LayerCosts(
    (LayerCost("0", 0.2, 0.2, 1.0), LayerCost("fc8", 0.1, 0.04, 0.4)),
    LayerCost("total", 0.15, 0.12),
    64,
    PublishedPruning(
        "Net",
        (PublishedLayer("conv1", 0.29, 0.58), PublishedLayer("fc8", 0.23, None)),
        PublishedLayer("total", 0.075, 0.21),
    ),
)


def test_costs_stand_beside_the_papers():
    view = drawn(LayerCostsView(), COSTS)
    assert [head for head, _ in view._table.heads] == [
        "Layer",
        "Weights",
        "Weights, paper",
        "Inputs not 0",
        "FLOP",
        "FLOP, paper",
    ]
    assert view._table.rows == [
        ["0 (conv1)", "20.0%", "29%", "100.0%", "20.0%", "58%"],
        ["fc8", "10.0%", "23%", "40.0%", "4.0%", "—"],
        ["total", "15.0%", "7.5%", "", "12.0%", "21%"],
    ]
    assert "counted on 64 samples" in view._caption.value
    assert "other widths" not in view._caption.value
    assert view._source.value == f"{HAN2015}."
    view.close()


def test_without_a_published_table_only_ours_is_shown():
    view = drawn(LayerCostsView(), LayerCosts(COSTS.layers, COSTS.total))
    assert view._table.rows[0] == ["0", "20.0%", "20.0%"]
    assert "without data" in view._caption.value and view._source.value == ""
    view.close()


def bills(before=65 * 2**20, after=63 * 2**20):
    demands = (Demand(bits, 10**6, 10**6, 10**6) for bits in (before, after))
    return EnergyBills(*(energy_bill(demand) for demand in demands))


def test_the_bill_shows_both_networks_and_what_moved():
    view = drawn(EnergyBillView(), bills())
    rows = view._bars.rows
    assert [row["name"] for row in rows] == [
        "Reading weights",
        "Activations",
        "Arithmetic",
        "Together",
    ]
    assert rows[0]["detail"] == "DRAM → SRAM"
    assert rows[0]["texts"][0] == "1.36 mJ\n10.3 µJ"
    assert rows[3]["tracks"][0] == [[0.0, 1.0, "before"]]
    assert view._caption.value.startswith("Estimate for a chip like EIE: 41 mW →")
    assert "chip's own memory now" in view._caption.value
    assert "Horowitz" in view._source.value
    view.close()


def test_the_dial_rescales_power_and_nothing_else():
    view = drawn(EnergyBillView(), bills())
    before = view._bars.rows
    view._dial.value = 60
    after = view._bars.rows
    assert view.fps == 60
    assert [row["tracks"] for row in before] == [row["tracks"] for row in after]
    assert before[3]["texts"][1].startswith("41 mW") and after[3]["texts"][1].startswith("82.1 mW")
    view._dial.value = 240
    assert view.fps == 240
    view.close()


def test_a_dial_that_is_turned_before_anything_is_drawn_does_no_harm():
    view = EnergyBillView()
    view._dial.value = 10
    assert view._bars.rows == []
    view.close()


@pytest.mark.parametrize(
    ("watts", "words"),
    [
        (12.8, "12.8 W"),
        (1500, "1,500 W"),
        (0.9999, "1 W"),
        (0.0019, "1.9 mW"),
        (2.5e-6, "2.5 µW"),
        (3e-8, "0.03 µW"),
        (0, "0 µW"),
    ],
)
def test_power_in_words(watts, words):
    assert power_text(watts) == words


def test_operations_by_cost_and_the_lectures_example():
    view = drawn(OperationCostsView(), ENERGY_45NM, dram_example())
    texts = {row["name"]: row["texts"] for row in view._bars.rows}
    assert texts["Read DRAM"] == ["640 pJ", "6,400×"]
    assert texts["Multiply, floating point"] == ["3.7 pJ", "37×"]
    assert "173 times as much as multiplying" in view._caption.value
    assert view._formula._box.items[0]["value"] == "12.8 W"
    version = view._bars.version
    view.draw(ENERGY_45NM, dram_example())
    assert view._bars.version == version
    view.close()


FITS = (
    Fit(Budget("Chip", "flash", "file", MIB, "A data sheet"), 2 * MIB, 600_000),
    Fit(Budget("Chip", "SRAM", "working", 256 * KIB, "A data sheet"), 400_000, 400_000),
    Fit(Budget("Phone", "operations a second", "flops", 5 * 10**8, "A lecture"), 9 * 10**8, 10**8),
)


def test_budgets_say_in_words_whether_they_are_kept():
    view = drawn(DevicesView(), FITS)
    rows = view._bars.rows
    assert [row["texts"][1] for row in rows] == ["fits now", "too big", "fits now"]
    assert rows[0]["tracks"] == [[[0.0, pytest.approx(0.5722), "fits"]]]
    assert rows[1]["tracks"] == [[[0.0, 1.0, "grown"]]]
    assert rows[1]["texts"][0] == "400.0 KB of 256 KiB"
    assert rows[2]["texts"][0] == "100.0 M/s of 500.0 M/s"
    assert rows[1]["label"] == "Chip, SRAM: one layer's activations: 400.0 KB of 256 KiB, too big"
    assert "2 of 3 budgets are met" in view._caption.value
    assert "made fit: Chip, flash" in view._caption.value
    assert view._sources.value == "Sources: A data sheet; A lecture."
    view.close()


def test_budgets_that_nothing_changed_ask_for_a_smaller_file():
    view = drawn(DevicesView(), FITS[1:2])
    assert "make the file smaller" in view._caption.value
    view.close()


NETWORKS = (
    PublishedNetwork("small", 2_000_000, 1e8, 0.6, 0.8, 8_000_000),
    PublishedNetwork("alexnet", 61_000_000, 7e8, 0.565, 0.79, 244_000_000),
)
BEFORE, AFTER = Place(2_293_000, 1_724_320), Place(458_600, 102_700)


def test_discs_of_networks_and_a_line_where_accuracy_does_not_compare():
    view = drawn(TradeoffsView(), Tradeoffs(NETWORKS, BEFORE, AFTER, reason="Not comparable."))
    # The larger disc lies behind the smaller one.
    assert view._published.names.tolist() == ["alexnet", "small"]
    assert view._published.size.tolist() == [244e6, 8e6]
    assert view._area.max == 244e6
    assert view._line.x.tolist()[1:] == [458_600, 458_600]
    assert len(view._before.x) == len(view._after.x) == 0
    assert view._x.min == 1e5
    assert view._names.text.tolist() == ["alexnet"]
    assert list(view._x_axis.tick_labels.values()) == ["100 k", "10 M", "1 G", "100 G"]
    assert "458,600 multiply-accumulates" in view._caption.value
    assert "Not comparable." in view._caption.value and "1605.07678" in view._source.value
    assert view._table.rows[0][0] == "small" and view._table.rows[1][-1] == "0.9"
    view.close()


def test_a_judged_network_has_discs_of_its_own():
    judged = Tradeoffs(NETWORKS, Place(7 * 10**8, 244, 0.565), Place(10**8, 90, 0.12), "alexnet")
    view = drawn(TradeoffsView(), judged)
    assert (view._after.y.tolist(), view._after.size.tolist()) == ([0.12], [90.0])
    assert view._before.x.tolist() == [7e8]
    assert len(view._line.x) == 0
    assert view._y.min == pytest.approx(0.1)
    assert "It is torchvision's alexnet." in view._caption.value
    view.draw(Tradeoffs(NETWORKS, reason="Not known."))
    assert len(view._after.x) == 0 and view._caption.value.startswith("Not known. See")
    view.close()


def test_a_network_without_operations_left_still_has_a_place():
    view = drawn(TradeoffsView(), Tradeoffs(NETWORKS, BEFORE, Place(0, 90), reason="x"))
    assert view._line.x.tolist()[1:] == [1e3, 1e3]
    view.close()


@pytest.mark.parametrize(
    ("make", "records"),
    [
        (AnatomyView, (LENET_5, CHOICES)),
        (LayerCostsView, (COSTS,)),
        (EnergyBillView, (bills(),)),
        (OperationCostsView, (ENERGY_45NM, dram_example())),
        (DevicesView, (FITS,)),
        (TradeoffsView, (Tradeoffs(NETWORKS, BEFORE, AFTER, reason="x"),)),
    ],
)
def test_views_leave_no_widget_behind(make, records):
    before = set(_instances)
    drawn(make(), *records).close()
    left = {type(_instances[key]).__name__ for key in set(_instances) - before}
    assert left <= KEPT_BY_THEIR_LIBRARIES
