"""The code of every tab, run in a fresh namespace, gives the figures that the tab shows."""

import ast
import json
import re
import subprocess
import sys
from dataclasses import asdict, fields, replace

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

import explorer as ex
from explorer import experiments
from explorer.experiments.distillation import DistillationContext
from explorer.experiments.experiment import Experiment, TrainingContext
from explorer.experiments.lessons import UnseenClass, WrongLabels
from explorer.experiments.pruning import CompareNorms, Regularize, Retrain
from explorer.experiments.recovery import Recover
from explorer.experiments.structure import DropNeurons, ShareWhileTraining
from explorer.experiments.student_networks import makers
from explorer.experiments.students import (
    DistillationExperiment,
    ShapesCompared,
    StudentBesideStudent,
)
from explorer.page.code import OWN_NETWORK, CodePanel, Seen, tab_text
from explorer.sweep.curves import planned

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


def printed(plan, subject):
    """What a run of the page would print, with the logits that the page keeps."""
    net, data = subject
    given = (net, data, lambda: ex.compress(net, RECIPE, data=data), RECIPE)
    if isinstance(plan, DistillationExperiment):
        context = replace(DistillationContext(*given), makers=makers(net, data))
    else:
        context = TrainingContext(*given)
    found = plan.events(context, lambda: False)
    return [str(event) for event in found if event.accuracy is not None]


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("plan", (*TRAIN, *DISTILL), ids=repr)
def test_the_copied_run_is_that_of_the_page(plan, subject, one_thread, capsys):
    run("Train", subject, plan=plan)
    lines = capsys.readouterr().out.splitlines()
    assert lines == printed(plan, subject)
    assert re.search(r"[0-9.]+% of 60 right$", lines[-1])


def test_shapes_are_taught_as_on_the_page(one_thread, capsys):
    inputs = torch.rand(40, 1, 9, 9, generator=torch.Generator().manual_seed(1))
    labels = (inputs.mean((1, 2, 3)) > 0.5).long()
    part = TensorDataset(inputs, labels)
    net = nn.Sequential(nn.Flatten(), nn.Linear(81, 2)).eval()
    subject = net, ex.Data(part, part)
    plan = ShapesCompared(n_weights=15_000, n_epochs=1)
    run("Distill", subject, plan=plan)
    assert capsys.readouterr().out.splitlines() == printed(plan, subject)


def test_a_student_of_ones_own_is_handed_over(subject, capsys):
    net, data = subject
    plan = StudentBesideStudent(width=None, n_seeds=1, n_epochs=1)
    own = nn.Sequential(nn.Flatten(), nn.Linear(16, 6)).eval()
    names = {"my_net": net, "my_data": data, "my_student": own}
    exec(tab_text(Seen("Distill", LOADING, RECIPE, LAYER, (1, 4, 4), plan)), names)
    assert isinstance(names["event"].record.value.n_weights, int)
    assert names["event"].record.value.n_weights == 16 * 6 + 6


def test_a_metric_judges_the_run(subject, capsys):
    net, data = subject
    plan = Retrain(sparsity=0.5, n_stages=1, n_epochs=1)
    names = {"my_net": net, "my_data": data, "my_metric": lambda _net: 45.25}
    exec(tab_text(Seen("Train", LOADING, RECIPE, LAYER, (1, 4, 4), plan, True)), names)
    assert capsys.readouterr().out.splitlines()[-1].endswith("metric 45.25")


def test_recovery_trains_what_the_recipe_left(subject):
    found = run("Train", subject, plan=Recover(budget_s=0.5))
    kept = found["event"].record.net.get_submodule("1")
    assert (kept.weight == 0).float().mean().item() == pytest.approx(0.5, abs=0.01)


TABS = ("Anatomy", "Prune", "Quantize", "Share", "Factorize", "Combine", "Compare", "Behavior")
PUBLIC = {"explorer.experiments": set(experiments.__all__)}
FRESH = """
import json, sys
for text in json.load(sys.stdin):
    exec(text, {"__name__": "__main__"})
"""
SMALL = """import torch
net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(81, 6)).eval()
part = torch.utils.data.TensorDataset(torch.rand(70, 1, 9, 9), torch.arange(70) % 6)
data = ex.Data(part, part)"""


def test_every_tab_runs_in_a_fresh_interpreter_by_public_names_alone(tmp_path):
    kinds = [getattr(experiments, name) for name in experiments.__all__]
    every = [kind() for kind in kinds if issubclass(kind, Experiment) and kind is not Experiment]
    assert len(every) == 10
    plans = [_short(plan) for plan in every]
    shown = [Seen(tab, SMALL, RECIPE, LAYER, (1, 9, 9)) for tab in TABS]
    shown += [Seen("Train", SMALL, RECIPE, LAYER, (1, 9, 9), plan) for plan in plans]
    texts = [tab_text(each) for each in shown]
    for text in texts:
        assert _private(text) == []
    done = subprocess.run(
        [sys.executable, "-c", FRESH],
        check=False,
        input=json.dumps(texts),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def _short(plan):
    """The same experiment, done in a moment."""
    least = {"n_epochs": 1, "n_stages": 1, "n_seeds": 1, "budget_s": 0.2, "n_weights": 15_000}
    names = {each.name for each in fields(plan)}
    return replace(plan, **{name: value for name, value in least.items() if name in names})


def _private(text):
    """Names that a script imports or asks the package for, and that are not public."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            known = PUBLIC.get(node.module, set())
            found += [each.name for each in node.names if each.name not in known]
        elif isinstance(node, ast.Import):
            found += [each.name for each in node.names if each.name not in ("explorer", "torch")]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "ex":
            found += [node.attr] * (node.attr not in ex.__all__)
    return found


def test_private_names_are_found():
    text = "import explorer as ex\nfrom explorer.session.trials import Trial\nex.nothing(1)"
    assert _private(text) == ["Trial", "nothing"]


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
