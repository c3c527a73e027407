"""The tab Anatomy: what each card gets to draw, for networks with and without data or a shape."""

import threading

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.prune import Prune
from explorer.measure.energy import estimate
from explorer.page import anatomy as tab
from explorer.page.anatomy import ANATOMY
from explorer.page.cards import Scene
from explorer.page.tabs import RecipeTab
from explorer.session import Session
from explorer.views.figures import FiguresView
from explorer.widgets import HIDDEN
from explorer.zoo.catalog import load

CARDS = (*ANATOMY.top, *ANATOMY.left, *ANATOMY.right, *ANATOMY.wide)


def scene_of(net, data=None, recipe=(), **options):
    session = Session(net, data, **options)
    session.prepare(list(recipe))
    session.apply(list(recipe))
    result = session.wait(60)
    return Scene(session, result, session.close_up(session.layers[0]))


@pytest.fixture(scope="module")
def digits():
    net, data = load("lenet-5")
    scene = scene_of(net, data, [Prune(sparsity=0.9)])
    yield scene
    scene.session.close()


def test_no_step_belongs_to_the_tab():
    assert ANATOMY.title == "Anatomy" and ANATOMY.kinds == ()


def test_layers_and_choices(digits):
    found, choices, _ = tab.LAYER_SHARES.record(digits)
    assert [layer.name for layer in found.rows] == list(choices) == list(digits.session.layers)


def test_costs_are_measured_on_the_datas_samples(digits):
    found = tab.LAYER_COSTS.record(digits)
    assert found.published.network == "LeNet-5"
    assert found.n_samples == 64
    first, second = found.layers[:2]
    assert first.kept == pytest.approx(0.1) and first.flops == pytest.approx(first.kept, abs=1e-4)
    assert 0 < second.flops < second.kept
    assert second.flops == pytest.approx(second.kept * second.density, abs=1e-4)


def test_the_bill_is_the_pages_figure(digits):
    bills = tab.ENERGY.record(digits)
    assert bills.after.total_pj == digits.result.energy_pj
    assert bills.before.total_pj == digits.result.original_energy_pj
    assert bills.before.weights_pj == pytest.approx(
        estimate(8 * digits.result.original_bytes, 0).memory_pj
    )


def test_what_fits_is_the_files_size(digits):
    fits = tab.DEVICES.record(digits)
    flash = next(fit for fit in fits if fit.budget.offers == "flash")
    assert flash.after == digits.result.size_bytes and flash.fits and not flash.fitted


def test_digits_have_a_place_by_operations_alone(digits):
    found = tab.TRADEOFFS.record(digits)
    assert found.after.macs == digits.result.macs
    assert found.after.top1 is None and "10 classes" in found.reason


def test_costs_of_a_network_that_lost_neurons():
    net, data = load("lenet-300-100")
    scene = scene_of(net, data, [PruneNeurons(fraction=0.5)])
    found = tab.LAYER_COSTS.record(scene)
    assert [row.kept for row in found.layers] == [0.5, 0.25, 0.5]
    assert found.published.network == "LeNet-300-100"
    assert 0 < found.layers[1].density < 1
    scene.session.close()


def test_fewer_neurons_give_fewer_activations():
    net, _ = load("lenet-300-100")
    scene = scene_of(net, None, [PruneNeurons(fraction=0.5)])
    bills = tab.ENERGY.record(scene)
    # 784 values enter; of 300 and 100 hidden ones half are left; the 10 outputs stay.
    assert bills.before.demand.activation_bits == 32 * (784 + 300 + 100 + 10)
    assert bills.after.demand.activation_bits == 32 * (784 + 150 + 50 + 10)
    scene.session.close()


class Own(nn.Module):
    def __init__(self, hidden=5):
        super().__init__()
        self.a, self.b = nn.Linear(6, hidden), nn.Linear(hidden, 3)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


def test_a_network_that_was_trained_smaller_is_held_against_its_origin():
    scene = scene_of(Own(2), input_shape=(6,), origin=Own(5))
    bills = tab.ENERGY.record(scene)
    assert bills.before.demand.activation_bits == 32 * (6 + 5 + 3)
    assert bills.after.demand.activation_bits == 32 * (6 + 2 + 3)
    scene.session.close()


def test_without_an_input_shape_what_depends_on_it_is_left_out():
    scene = scene_of(Own(), recipe=[Prune(sparsity=0.5)])
    found, *_ = tab.LAYER_SHARES.record(scene)
    assert found.input_shape is None and len(found.rows) == 2
    assert tab.ENERGY.record(scene) is None and tab.DEVICES.record(scene) is None
    costs = tab.LAYER_COSTS.record(scene)
    assert costs.published is None and costs.n_samples == 0
    assert costs.total.flops == pytest.approx(costs.total.kept)
    assert "shape of an input" in tab.TRADEOFFS.record(scene).reason
    scene.session.close()


@pytest.mark.parametrize("kind", ["dataset", "loader"])
def test_ones_own_data_serve_whatever_they_are(kind):
    images = TensorDataset(torch.randn(10, 6), torch.zeros(10, dtype=torch.int64))
    data = images if kind == "dataset" else DataLoader(images, batch_size=4)
    scene = scene_of(Own(), data, input_shape=(6,))
    costs = tab.LAYER_COSTS.record(scene)
    assert costs.n_samples == (10 if kind == "dataset" else 4)
    assert 0 < costs.layers[1].density < 1
    scene.session.close()


def test_every_card_is_drawn_and_hides_where_there_is_nothing(digits):
    chosen = []
    panel = RecipeTab(ANATOMY, chosen.append, print)
    panel.draw(digits, ())
    panel.draw_slowly(digits)
    hidden = [HIDDEN in box._dom_classes for box in panel.boxes]
    assert len(hidden) == len(CARDS) and not any(hidden)
    view = panel[tab.LAYER_SHARES.title].view
    assert view.selected == digits.close_up.layer
    view._receive(None, {"type": "select", "layer": "fc1"}, [])
    assert chosen == ["fc1"]
    bare = scene_of(Own())
    panel.draw(bare, ())
    panel.draw_slowly(bare)
    gone = {box.card.title for box in panel.boxes if HIDDEN in box._dom_classes}
    assert gone == {tab.ENERGY.title, tab.DEVICES.title, "Speed"}
    bare.session.close()
    panel.close()


def test_a_turn_of_a_dial_takes_no_network_apart_again(digits, monkeypatch):
    tab.LAYER_SHARES.record(digits)

    def refuse(*_):
        raise AssertionError("profiled again")

    monkeypatch.setattr("explorer.measure.anatomy.profile", refuse)
    for spec in CARDS:
        if not spec.slow:
            assert spec.record(digits) is not None


def test_records_are_made_from_any_thread(digits):
    found = []
    work = threading.Thread(target=lambda: found.append(tab.TRADEOFFS.record(digits)))
    work.start()
    work.join()
    assert len(found) == 1


class Unseen(nn.Module):
    """Dense after a transform whose multiplications cannot be counted."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(5, 3)

    def forward(self, x):
        return self.dense(torch.fft.rfft(x).abs())


def test_what_is_not_counted_is_named_beside_every_figure_of_it():
    scene = scene_of(Unseen().eval(), input_shape=(8,))
    head, table, bill = FiguresView(), tab.AnatomyView(), tab.EnergyBillView()
    head.draw(scene.result)
    cells = head.widget.state
    assert (cells["macs"]["value"], cells["macs"]["text"]) == ("at least 15", "of at least 15")
    assert cells["macs"]["note"] == "MACs, zeros skipped; not counted: aten::_fft_r2c"
    assert cells["energy"]["value"].startswith("at least ")
    found, choices, _ = tab.LAYER_SHARES.record(scene)
    table.draw(found, choices)
    assert table._table.rows[0]["name"] == "(the network)"
    assert table._table.rows[0]["detail"] == "Unseen"
    assert [row["texts"][2] for row in table._table.rows] == ["at least 0", "15", "at least 15"]
    assert table._caption.value.endswith("at least so many: aten::_fft_r2c not counted.")
    bill.draw(tab.ENERGY.record(scene))
    assert "like EIE: at least " in bill._caption.value
    for view in (head, table, bill):
        view.close()
    scene.session.close()


def test_work_of_the_network_itself_is_a_row_and_in_the_totals():
    class Similar(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = nn.Linear(4, 4)

        def forward(self, x):
            y = self.dense(x)
            return y @ y.transpose(1, 2)

    scene = scene_of(Similar().eval(), recipe=[Prune(sparsity=0.5)], input_shape=(5, 4))
    found, *_ = tab.LAYER_SHARES.record(scene)
    assert [(row.name, row.macs) for row in found.rows] == [("", 100), ("dense", 80)]
    assert (scene.result.original_macs, scene.result.macs) == (180, 140)
    costs = tab.LAYER_COSTS.record(scene)
    assert (costs.total.flops, costs.other_macs) == (140 / 180, 100)
    view, table = tab.LayerCostsView(), tab.AnatomyView()
    view.draw(costs)
    assert "The total has 100 multiplications more" in view._caption.value
    table.draw(found)
    assert "the network itself does 56% of the multiplications" in table._caption.value
    view.close()
    table.close()
    scene.session.close()
