"""The tab on distillation: soft targets at once, runs, the dial of a bias, and the family."""

import copy
import math
import re
import threading
from contextlib import closing

import pytest
import torch
from sameness import assert_same_outputs
from torch import nn
from torch.utils.data import TensorDataset
from waiting import until

from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.networks.recipe import Recipe
from explorer.experiments.distillation import TEACHER
from explorer.experiments.lessons import UnseenClass, WrongLabels
from explorer.experiments.student_networks import attainable, makers
from explorer.experiments.students import ShapesCompared, StudentBesideStudent
from explorer.library import compress
from explorer.measure.accuracy import evaluate
from explorer.measure.metric import Metric, Score
from explorer.page import family as family_module
from explorer.page.cards import Scene
from explorer.page.distill import DistillTab
from explorer.page.family import fitting
from explorer.session import Session
from explorer.session.background import State
from explorer.train.data_variants import correct_bias
from explorer.views.format import score_text
from explorer.zoo.loaded import Data
from explorer.zoo.students import n_parameters, two_layers

WAIT_S = 30
HIDDEN = "ex-hidden"
FAMILY = "Student and compression"
ASIDE = {"Distillation", "Soft targets", FAMILY}
QUICK = {
    StudentBesideStudent: StudentBesideStudent(width=8, n_seeds=2, n_epochs=1),
    WrongLabels: WrongLabels(noise=0.25, width=8, n_epochs=1),
    ShapesCompared: ShapesCompared(n_weights=15_000, n_epochs=1),
    UnseenClass: UnseenClass(label=1, width=8, n_epochs=3),
}


def digits(n, seed):
    """Images of a bright stripe, at one of three heights."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    images = 0.4 * torch.rand(n, 1, 10, 10, generator=generator)
    images[torch.arange(n), 0, 3 * labels + 1] += 0.6
    return TensorDataset(images, labels)


@pytest.fixture(scope="module")
def data():
    return Data(digits(96, 1), digits(60, 2), classes=("low", "mid", "top"))


@pytest.fixture(scope="module")
def trained(data):
    torch.manual_seed(0)
    net = two_layers(20, input_shape=(1, 10, 10), n_classes=3).eval()
    inputs, labels = data.tune.tensors
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(20):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(inputs), labels).backward()
        optimizer.step()
    return net


@pytest.fixture
def session(trained, data):
    found = Session(copy.deepcopy(trained), data)
    found.apply([Prune(sparsity=0.4)])
    found.wait(WAIT_S)
    yield found
    found.close()


class Page:
    """A panel, and what it handed over."""

    def __init__(self, session, student=None):
        self.used = []
        self.panel = DistillTab(self.use, student)
        self.session = session

    def use(self, net, recipe, fresh=False):
        self.used.append((net, recipe, fresh))

    def draw(self):
        session = self.session
        scene = Scene(session, session.result, session.close_up(session.layers[0]))
        self.panel.draw(scene, ())

    def run(self, plan):
        self.panel.setup.plan = plan
        self.panel.start()
        return self.panel.training.join(WAIT_S)

    @property
    def error(self):
        return self.panel.setup._bar._status.error

    @property
    def soft(self):
        return self.panel.soft

    def caption(self, name):
        return self.panel[name].view._caption.value


@pytest.fixture
def page(session):
    made = Page(session)
    made.draw()
    until(lambda: made.soft._images._images.picked >= 0)
    yield made
    made.panel.close()


def test_nothing_is_made_before_the_tab_is_opened(session):
    panel = DistillTab(lambda *_args, **_more: None)
    panel.completed(session, session.result)
    panel.forget()
    panel.hide()
    assert panel.children == ()
    assert not {"setup", "soft", "family", "views"} & vars(panel).keys()
    panel.close()


def test_soft_targets_show_at_once_and_follow_the_temperature(page, session):
    inputs, labels = session.data.eval.tensors
    logits = session.net(inputs).detach()
    soft = page.soft
    position = soft._number.value
    assert soft._images._images.picked == position
    assert soft._images._images.tiles[0]["sample"] == position
    assert soft._images._images.tiles[0]["size"] == [10, 10, 1]
    soft.temperature.value = 10.0
    rows = soft._soft._bars.rows
    expected = torch.softmax(logits[position] / 10, 0)
    for i, row in enumerate(rows):
        assert row["tracks"][0] == ([[0.0, 1.0, "before"]] if i == labels[position] else [])
        assert row["tracks"][1][0][1] == pytest.approx(float(expected[i]), abs=1e-3)
    assert "bits" in soft._soft._caption.value
    assert "e^" not in soft._formula._box.items[0]["value"]


def test_an_image_is_picked_by_its_picture_by_number_and_by_steps(page):
    soft = page.soft
    soft._images._images.picked = 7
    assert soft._number.value == 7
    soft._steps[1].click()
    assert soft._number.value == soft._images._images.picked == 8
    soft._number.value = 0
    assert soft._steps[0].disabled
    assert not soft._steps[1].disabled
    soft._number.value = 59
    assert soft._steps[1].disabled


def test_the_network_is_asked_once_for_the_held_out_and_once_for_the_others(page, session):
    asked = []
    handle = session.net.register_forward_hook(lambda _net, inputs, _out: asked.append(inputs[0]))
    for temperature in (1.0, 2.0, 5.0):
        page.soft.temperature.value = temperature
        page.soft._number.value = 3
    page.draw()
    assert asked == []
    page.run(QUICK[StudentBesideStudent])
    until(lambda: page.soft._student_logits is not None)
    n_samples = sum(len(each) for each in asked)
    page.run(QUICK[StudentBesideStudent])
    assert sum(len(each) for each in asked) - n_samples == n_samples - 96
    handle.remove()


@pytest.mark.parametrize("kind", list(QUICK), ids=lambda kind: kind.title)
def test_every_plan_runs_and_says_what_came_of_it(page, kind):
    assert page.run(QUICK[kind]) is State.DONE
    words = page.panel.setup._hint._sentence.value
    assert words.startswith("Done: ")
    assert re.search(r"\b(Look|See)\b", words)
    shown = set(page.panel.visible) - ASIDE
    assert {"Accuracy", "Results", "Loss"} <= shown
    assert ("Labels put right" in shown) == (kind is WrongLabels)
    assert ("Shapes" in shown) == (kind is ShapesCompared)
    assert ("Unseen class" in shown) == (kind is UnseenClass)
    for name in shown:
        assert re.search(r"\b(look|see)\b", page.caption(name).lower())
    page.panel.use_trained()
    net, recipe, fresh = page.used[0]
    assert fresh
    assert recipe == page.session.recipe
    rows = page.panel["Results"].view._table.rows
    assert rows[-1][3] == f"{n_parameters(net):,}"


def norm(net):
    return float([each for each in net.parameters() if each.dim() == 2][-1].detach().norm())


@pytest.fixture
def judged_by_norm(trained, data):
    metric = Metric(norm, "norm", "kg", higher_is_better=False)
    session = Session(copy.deepcopy(trained), data, metric=metric)
    session.apply([Prune(sparsity=0.4)])
    session.wait(WAIT_S)
    made = Page(session)
    made.draw()
    until(lambda: made.soft._images._images.picked >= 0)
    yield made
    made.panel.close()
    session.close()


@pytest.mark.parametrize("kind", list(QUICK), ids=lambda kind: kind.title)
def test_students_are_judged_by_the_metric_of_the_page(judged_by_norm, kind):
    page = judged_by_norm
    assert page.run(QUICK[kind]) is State.DONE
    words = page.panel.setup._hint._sentence.value
    assert "norm" in words and "kg" in words and "lower is better" in words
    assert "%" not in words.split(".")[0] and "erred" not in words
    table = page.panel["Results"].view._table
    page.panel.use_trained()
    net = page.used[0][0]
    assert table.heads[1][0].startswith("norm")
    assert all(" kg" in row[1] and "%" not in row[1].split("(")[0] for row in table.rows)
    if table.rows[-1][2] == "1":
        assert table.rows[-1][1] == score_text(Score(norm(net), "norm", "kg"))


def test_a_family_is_judged_by_the_metric_of_the_page(judged_by_norm):
    page = judged_by_norm
    page.run(QUICK[StudentBesideStudent])
    page.panel.use_trained()
    student = page.used[0][0]
    other = Session(student, page.session.data, metric=page.session.metric)
    with closing(other):
        other.apply([Prune(sparsity=0.5)])
        other.wait(WAIT_S)
        page.session = other
        page.draw()
        page.panel.completed(other, other.result)
        table = page.panel.family._view._table
        until(lambda: table.rows)
        small = compress(student, other.recipe).restore()
        expected = [score_text(Score(norm(net), "norm", "kg")) for net in (student, small)]
        assert [row[3] for row in table.rows[2:]] == expected
        assert table.heads[3][0] == "norm"
        assert "lower is better" in page.panel.family._view._caption.value


def test_pictures_of_labels_put_right(page):
    page.run(QUICK[WrongLabels])
    tiles = page.panel["Labels put right"].view._images.tiles
    assert tiles
    assert all(tile["label"].startswith("Sample ") for tile in tiles)
    assert "labeled " in tiles[0]["name"]
    assert "of them" in page.caption("Labels put right")


def test_a_student_that_was_trained_answers_beside_its_teacher(page, session):
    page.run(QUICK[StudentBesideStudent])
    until(lambda: page.soft._student_logits is not None)
    student = page.panel.training.trained()
    expected = student(session.data.eval.tensors[0]).detach()
    assert_same_outputs(page.soft._student_logits, expected)
    until(lambda: len(page.soft._soft._bars.rows[0]["tracks"]) == 3)
    assert page.soft._soft._bars.legend[2][1] == "student"


def test_the_dial_of_the_bias_is_the_bias(page, session):
    page.run(QUICK[UnseenClass])
    plan, trained = page.panel.training.plan, page.panel.training.trained()
    page.panel.bias.value = 4.0
    raised = correct_bias(trained, 1, 4.0)
    run = page.panel._run()
    assert page.panel.effect(run).after == evaluate(raised, session.data.eval)
    assert "4.0 added to the bias of class mid" in page.caption("Unseen class")
    page.panel.use_trained()
    assert torch.equal(page.used[0][0].fc3.bias, raised.fc3.bias)
    assert plan.label == 1


def names(family):
    """Return what a shown family calls its two, before they are compressed."""
    return [row[0] for row in family._view._table.rows[::2]]


def test_the_family_after_a_student_was_taken_up(page, session):
    page.run(QUICK[StudentBesideStudent])
    page.panel.use_trained()
    student = page.used[0][0]
    page.panel.forget()
    other = Session(student, session.data)
    recipe = Recipe.of({"fc1": [Prune(sparsity=0.5)], "*": [Quantize(bits=8)]})
    other.apply(recipe)
    other.wait(WAIT_S)
    page.session = other
    page.draw()
    page.panel.completed(other, other.result)
    family = page.panel.family
    until(lambda: family._view._table.rows)
    assert HIDDEN not in page.panel[FAMILY]._dom_classes
    rows = family._view._table.rows
    sizes = [compress(net, recipe) for net in (session.net, student)]
    expected = [f"{each.size_bytes / 1e3:,.1f} KB" for each in sizes]
    assert [rows[1][1], rows[3][1]] == expected
    assert names(family) == ["teacher", "student"]
    assert "comes with the explorer" not in family._view._caption.value
    ratio = sizes[0].original_bytes / sizes[1].size_bytes
    assert f"= {ratio:.1f}" in family._view._caption.value
    page.session = Session(two_layers(8, input_shape=(1, 10, 10), n_classes=3), session.data)
    page.session.apply([])
    page.draw()
    page.panel.completed(page.session, page.session.result)
    assert HIDDEN in page.panel[FAMILY]._dom_classes
    page.session.close()
    other.close()


def test_bundled_networks_know_their_family(page, session, monkeypatch):
    torch.manual_seed(4)
    loaded = two_layers(8, input_shape=(1, 10, 10), n_classes=3).eval()
    asked = []

    class Loaded:
        net = loaded

    monkeypatch.setattr(family_module.zoo, "catalog", lambda: ("mnist-student-distilled",))
    monkeypatch.setattr(family_module.zoo, "load", lambda name: asked.append(name) or Loaded)
    session.net.network_name = "mnist-teacher"
    page.panel.completed(session, session.result)
    until(lambda: page.panel.family._view._table.rows)
    assert asked == ["mnist-student-distilled"]
    assert names(page.panel.family) == ["teacher", "bundled student"]
    said = page.panel.family._view._caption.value
    assert "The student is mnist-student-distilled, which comes with the explorer" in said


def test_a_bundled_student_knows_its_teacher(page, session, monkeypatch):
    class Loaded:
        net = two_layers(8, input_shape=(1, 10, 10), n_classes=3).eval()

    monkeypatch.setattr(family_module.zoo, "catalog", lambda: ("mnist-teacher",))
    monkeypatch.setattr(family_module.zoo, "load", lambda name: Loaded)
    session.net.network_name = "mnist-student-distilled"
    page.panel.completed(session, session.result)
    until(lambda: page.panel.family._view._table.rows)
    assert names(page.panel.family) == ["bundled teacher", "student"]
    assert "The teacher is mnist-teacher" in page.panel.family._view._caption.value


def test_a_family_that_is_not_there_is_not_shown(page, session, monkeypatch):
    monkeypatch.setattr(family_module.zoo, "catalog", lambda: ())
    session.net.network_name = "mnist-student"
    page.panel.completed(session, session.result)
    until(lambda: HIDDEN in page.panel[FAMILY]._dom_classes)


def test_steps_for_layers_that_are_missing_are_left_out():
    net = two_layers(8, input_shape=(6,), n_classes=3)
    recipe = Recipe.of({"conv1": [Prune(sparsity=0.5)], "*": [Quantize(bits=4)]})
    assert fitting(recipe, net) == (Recipe.of({"*": [Quantize(bits=4)]}), True)
    kept = Recipe.of({"fc1": [Prune(sparsity=0.5)]})
    assert fitting(kept, net) == (kept, False)


def test_a_students_own_shape(session):
    own = nn.Sequential(nn.Flatten(), nn.Linear(100, 4), nn.ReLU(), nn.Linear(4, 3))
    page = Page(session, own)
    page.draw()
    plan = page.panel.setup.plan
    assert plan.width is None
    assert page.run(StudentBesideStudent(width=None, n_seeds=1, n_epochs=1)) is State.DONE
    page.panel.use_trained()
    assert page.used[0][0][1].weight.shape == (4, 100)
    page.panel.close()


def test_what_goes_wrong_is_said_in_words(session):
    page = Page(session, nn.Sequential(nn.Flatten(), nn.Linear(100, 5)))
    page.draw()
    page.run(StudentBesideStudent(width=None))
    assert "student: it has 5 outputs, the teacher 3" in page.error
    page.panel.close()
    page = Page(session)
    page.draw()
    page.run(StudentBesideStudent(width=8, learning_rate=1e30))
    assert "not finite" in page.error
    page.panel.close()


@pytest.mark.parametrize(
    ("change", "soft", "run"),
    [
        ("none", "there is none here", "there is none to train on"),
        ("whole", "", "training needs samples apart"),
        ("mode", "in train mode", "in train mode"),
    ],
)
def test_data_and_teachers_that_do_not_fit_are_told_of(session, change, soft, run):
    if change == "mode":
        session.net.train()
        found = session
    else:
        data = None if change == "none" else session.data.eval
        found = Session(session.net, data)
        found.apply([])
    page = Page(found)
    page.draw()
    if soft:
        until(lambda: soft in page.soft._message.value)
        assert HIDDEN in page.soft._body._dom_classes
    else:
        until(lambda: page.soft._shown is not None)
    page.panel.start()
    assert run in page.error
    page.panel.close()
    session.net.eval()
    found.close()


def test_another_network_is_asked_anew(page, session):
    other = Session(two_layers(8, input_shape=(1, 10, 10), n_classes=3).eval(), session.data)
    other.apply([])
    page.session = other
    page.draw()
    until(lambda: page.soft._shown is not None)
    inputs = session.data.eval.tensors[0]
    assert_same_outputs(page.soft._shown.logits, other.net(inputs).detach())
    other.close()


def test_closing_leaves_no_thread(session):
    before = set(threading.enumerate())
    page = Page(session)
    page.draw()
    page.panel.completed(session, session.result)
    page.panel.setup.plan = StudentBesideStudent(width=8, n_epochs=30)
    page.panel.start()
    page.panel.close()
    until(lambda: not {t for t in threading.enumerate() if t.is_alive()} - before)


def test_shapes_have_equally_many_weights(session):
    made = makers(session.net, session.data)
    goal = attainable(15_000, (1, 10, 10), 3)
    assert abs(goal - 15_000) < 200
    for name in ("shallow", "deep", "convolutional"):
        net = made[name](15_000)
        assert math.isclose(n_parameters(net), goal, rel_tol=0.0101)
        assert net(torch.zeros(2, 1, 10, 10)).shape == (2, 3)
    flat = Data(*[TensorDataset(torch.zeros(4, 6), torch.arange(4) % 3)] * 2)
    assert "convolutional" not in makers(nn.Linear(6, 3).eval(), flat)
    assert TEACHER in StudentBesideStudent.lanes
