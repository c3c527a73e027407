"""The code of every tab, run in a fresh namespace, gives the figures that the tab shows."""

from dataclasses import asdict, replace

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer.experiments.distillation import DistillationContext
from explorer.experiments.experiment import TrainingContext
from explorer.experiments.lessons import NOISY, NOISY_TEACHER, UnseenClass, WrongLabels
from explorer.experiments.pruning import CompareNorms, Regularize, Retrain
from explorer.experiments.recovery import Recover
from explorer.experiments.structure import DropNeurons, ShareWhileTraining
from explorer.experiments.student_networks import makers
from explorer.experiments.students import (
    LABELS,
    TEACHER,
    DistillationExperiment,
    ShapesCompared,
    StudentBesideStudent,
)
from explorer.panels.code_panel import CodePanel
from explorer.panels.plan_code import _TEXTS, plan_text
from explorer.panels.python_text import OWN_NETWORK
from explorer.panels.tab_code import Seen, tab_text
from explorer.sweep.method_curves import planned

LOADING = "net, data = my_net, my_data"
RECIPE = ex.Recipe.of([ex.Prune(sparsity=0.5), ex.Share(n_clusters=8)])
LAYER = "1"


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 6)).eval()


@pytest.fixture(scope="module")
def subject():
    inputs = torch.randn(260, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    net = network()
    with torch.no_grad():
        labels = net(inputs).argmax(1)
    tune, judged = (TensorDataset(inputs[a], labels[a]) for a in (slice(200), slice(200, 260)))
    return net, ex.Data(tune, judged)


@pytest.fixture(scope="module")
def session(subject):
    session = ex.Session(*subject)
    session.apply(RECIPE)
    session.wait(60)
    yield session
    session.close()


def run(tab, subject, recipe=RECIPE, plan=None):
    """Run a tab's code with nothing but the network and its data, and return its names."""
    net, data = subject
    names = {"my_net": net, "my_data": data, "__name__": "copied"}
    exec(tab_text(Seen(tab, LOADING, recipe, LAYER, (1, 4, 4), plan)), names)
    return names


@pytest.mark.parametrize("tab", ["Prune", "Quantize", "Share", "Factorize"])
def test_a_topic_compresses_looks_at_the_layer_and_judges(tab, subject, session, capsys):
    found, row = run(tab, subject), session.result[LAYER]
    assert found["layer"].size_bits == row.size_bits
    assert found["zeros"] == pytest.approx(row.sparsity)
    assert found["small"].size_bytes == session.result.size_bytes
    assert found["accuracy"] == session.result.accuracy
    if tab != "Prune":
        assert found["error"] == pytest.approx(row.error, rel=1e-4)
    if tab == "Factorize":
        spectrum = torch.linalg.svdvals(subject[0][1].weight.detach())
        torch.testing.assert_close(found["spectrum"], spectrum)
    assert f"{row.size_bits / 8:,.0f} bytes" in capsys.readouterr().out


def test_removed_neurons_are_no_hindrance(subject):
    recipe = ex.Recipe.of([ex.PruneNeurons(fraction=0.25), ex.LowRank(rank=3)])
    found = run("Factorize", subject, recipe)
    assert found["weight"].shape == (9, 16)


def test_anatomy_profiles_and_counts_what_is_left(subject, session):
    found = run("Anatomy", subject)
    assert found["rows"] == ex.profile(subject[0], (1, 4, 4))
    assert found["result"].layers == session.figures(RECIPE).layers
    assert found["result"].energy_pj == session.result.energy_pj


def test_combine_shows_stages_and_writes_the_file(subject, session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = run("Combine", subject)
    assert found["stages"] == session.waterfall().stages
    assert found["spent"] == session.breakdown().totals
    written = tmp_path / "network.cmpx"
    assert written.stat().st_size == session.result.size_bytes == ex.open(written).size_bytes


def test_behavior_tells_agreement_and_classes(subject, session):
    found, wanted = run("Behavior", subject)["found"], session.behavior()
    shown, expected = asdict(found.agreement), asdict(wanted.agreement)
    assert shown == pytest.approx(expected, rel=1e-4)
    assert found.classes == wanted.classes
    assert torch.equal(found.lost, wanted.lost)


def test_compare_sweeps_all_methods_and_each_layer(subject, session):
    found = run("Compare", subject)
    points = {point.recipe: point for point in found["points"]}
    assert set(points) == {RECIPE, *(one.recipe for one in planned(subject[0]))}
    assert points[RECIPE].size_bytes == session.result.size_bytes
    assert points[RECIPE].accuracy == session.result.accuracy
    assert {point.layer for point in found["layers"]} == {"1", "3"}


TRAIN = (
    Retrain(sparsity=0.8, n_stages=2, n_epochs=1),
    Retrain(sparsity=0.8, n_stages=1, n_epochs=1, l1=1e-3),
    Regularize(n_epochs=2, l2=1e-4),
    CompareNorms(n_epochs=1),
    ShareWhileTraining(n_clusters=4, n_epochs=2),
    DropNeurons(n_epochs=2, threshold=0.05),
)
DISTILL = (
    StudentBesideStudent(width=8, n_seeds=2, n_epochs=1),
    StudentBesideStudent(width=8, n_seeds=1, n_epochs=1, what="hints"),
    StudentBesideStudent(width=8, n_seeds=1, n_epochs=1, what="logits"),
    UnseenClass(label=1, width=8, n_epochs=1),
    WrongLabels(width=8, n_epochs=1),
)


def moments(plan, subject):
    """Accuracies that a plan tells on the page, by network, without those before the first step."""
    net, data = subject
    given = (net, data, lambda: ex.compress(net, RECIPE, data=data), RECIPE)
    if isinstance(plan, DistillationExperiment):
        trainee = replace(DistillationContext(*given), makers=makers(net, data))
    else:
        trainee = TrainingContext(*given)
    told = {}
    for moment in plan.events(trainee, lambda: False):
        record = moment.record
        if isinstance(record, ex.TrainRecord) and record.validation is not None:
            if record.train_accuracy == record.train_accuracy:
                told.setdefault(moment.lane, []).append(record.validation.top1)
        elif hasattr(record, "neurons"):
            told.setdefault(moment.lane, []).append(record.after.top1)
    return told


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("plan", TRAIN, ids=repr)
def test_a_run_of_the_tab_train_is_the_same_run(plan, subject, one_thread):
    judged = run("Train", subject, plan=plan)["judged"]
    told = [value for lane in plan.lanes for value in moments(plan, subject)[lane]]
    assert [value for value in told if value not in judged] == []
    assert judged[-1] == told[-1]


@pytest.mark.parametrize("plan", DISTILL, ids=repr)
def test_a_run_of_the_tab_distill_is_the_same_run(plan, subject, one_thread):
    judged, told = run("Distill", subject, plan=plan)["judged"], moments(plan, subject)
    lanes = [name for name in (NOISY_TEACHER, NOISY, LABELS, TEACHER) if name in told]
    last = {lane: told[lane][-1] for lane in lanes}
    assert judged[-1] == last[TEACHER]
    assert set(last.values()) <= set(judged)


def test_shapes_are_taught_as_on_the_page(one_thread):
    inputs = torch.rand(40, 1, 9, 9, generator=torch.Generator().manual_seed(1))
    labels = (inputs.mean((1, 2, 3)) > 0.5).long()
    part = TensorDataset(inputs, labels)
    net = nn.Sequential(nn.Flatten(), nn.Linear(81, 2)).eval()
    subject = net, ex.Data(part, part)
    plan = ShapesCompared(n_weights=15_000, n_epochs=1)
    judged, told = run("Distill", subject, plan=plan)["judged"], moments(plan, subject)
    assert set(told[LABELS] + told[TEACHER]) <= set(judged)
    assert judged[-1] == told[TEACHER][-1]


def test_recovery_trains_what_the_recipe_left(subject):
    found = run("Train", subject, plan=Recover(budget_s=0.5))
    kept = {name: module for name, module in found["record"].net.named_modules() if name == "1"}
    assert (kept["1"].weight == 0).float().mean().item() == pytest.approx(0.5, abs=0.01)
    assert 0 < found["judged"][0] <= 1


def test_every_plan_has_its_code():
    plans = {type(plan) for plan in (*TRAIN, *DISTILL)} | {ShapesCompared, Recover}
    assert set(_TEXTS) == plans


def test_a_plan_of_another_kind_is_named():
    class Other(Retrain):
        pass

    with pytest.raises(TypeError, match="plan: no code is known for a Other"):
        plan_text(Other())


class Sent:
    """Keeps what a widget sends to the browser."""

    def __init__(self, panel, monkeypatch):
        self.messages = []
        monkeypatch.setattr(panel.widget, "send", self.messages.append)


def test_the_window_is_given_the_code_of_what_is_shown(monkeypatch):
    panel = CodePanel(lambda: Seen("Share", OWN_NETWORK, RECIPE, "fc1"))
    sent = Sent(panel, monkeypatch)
    panel.widget._handle_custom_msg({"type": "ask"}, [])
    (message,) = sent.messages
    assert message["text"] == panel.code
    assert "ex.Share(n_clusters=8)" in panel.code
    assert message["title"] == "Python for the tab Share"
    assert "my_net" in message["note"]
    panel.close()


def test_what_goes_wrong_is_said_in_words(monkeypatch):
    def broken():
        raise ValueError("recipe: no such layer")

    panel = CodePanel(broken)
    sent = Sent(panel, monkeypatch)
    panel.widget._handle_custom_msg({"type": "ask"}, [])
    assert sent.messages[0]["error"] == "recipe: no such layer (ValueError)"
    panel.close()
