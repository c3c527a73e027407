import json
import math

import pytest
import torch

from explorer.measure.accuracy import Accuracy
from explorer.reproduce import Goal, Moment, Published, Reproduction, table, write
from explorer.reproduce.distilled import (
    Distillation,
    Fewer,
    FewValues,
    answers_of,
    relative_squares,
)
from explorer.reproduce.dropneuron import counted
from explorer.reproduce.log import n_left, n_weights
from explorer.reproduce.record import PUBLISHED
from explorer.reproduce.table import in_words, row


def made(**changes):
    accuracy = Accuracy.from_counts(990, 1000, 1000)
    fields = {
        "name": "a-result",
        "published": Published("A paper", {"rate": 12, "error": 0.0159, "error_ref": 0.0164}),
        "reached": {"rate": 12.5, "error": 0.01, "error_ref": 0.011, "size_bytes": 1234},
        "goals": (Goal("rate", low=12), Goal("error", high=0.0115)),
        "accuracy": accuracy,
        "dense_accuracy": accuracy,
        "validation": accuracy,
        "seconds": 90.04,
        "settings": {"n_stages": 2},
        "history": (Moment("prune", 1, 0.5, 4321, 0.98, 3.5),),
    }
    return Reproduction(**(fields | changes))


def test_goals_include_their_bounds():
    figures = {"rate": 12.0}
    assert Goal("rate", low=12).met(figures)
    assert Goal("rate", high=12).met(figures)
    assert not Goal("rate", low=12.001).met(figures)
    assert not Goal("rate", high=11.999).met(figures)
    assert Goal("rate").met(figures)


def test_a_result_is_reproduced_when_every_goal_is_met():
    assert made().reproduced
    assert made().missed == ()
    worse = made(reached={"rate": 11.9, "error": 0.01})
    assert not worse.reproduced
    assert worse.missed == ("rate",)


def test_json_holds_everything_but_the_model():
    record = made(curves={"obd": ((1.0, 0.99), (0.5, 0.9))})
    again = json.loads(record.to_json())
    assert again == json.loads(json.dumps(record.as_dict()))
    assert again["history"] == [
        {
            "stage": "prune",
            "epoch": 1,
            "density": 0.5,
            "size_bytes": 4321,
            "accuracy": 0.98,
            "seconds": 3.5,
        }
    ]
    assert again["curves"]["obd"] == [[1.0, 0.99], [0.5, 0.9]]
    assert again["test"]["n"] == 1000
    assert "model" not in again


def test_the_table_puts_published_and_reached_side_by_side(tmp_path):
    write(made(), tmp_path)
    lines = table(tmp_path).splitlines()
    assert len(lines) == 3
    assert "| 12x, error 1.64% to 1.59% |" in lines[2]
    assert "| 12.5x, 1,234 bytes, error 1.10% to 1.00% |" in lines[2]
    assert "(n = 1,000)" in lines[2]
    assert lines[2].endswith("| 1.5 | met |")


def test_a_figure_without_its_reference_is_told_alone():
    assert in_words({"error": 0.01, "rate": 771}) == "771x, error 1.00%"
    assert in_words({}) == "-"


def test_a_row_says_when_a_goal_is_missed():
    record = made(reached={"rate": 11.9, "error": 0.01, "error_ref": 0.011})
    assert row(record.as_dict()).endswith("| missed |")


def test_published_figures_are_fractions():
    for published in PUBLISHED.values():
        for name, value in published.figures.items():
            if name.startswith(("error", "accuracy", "fc_density")):
                assert 0 < value < 1, name


def test_published_rates_are_those_of_the_papers_weights():
    dense = {"han2015-lenet-300-100": 266_200, "han2015-lenet-5": 430_500}
    for name, weights in dense.items():
        figures = PUBLISHED[name].figures
        assert round(weights / figures["n_weights"]) == figures["rate"]


def test_scores_compare_layers_by_hand():
    # Squares 1, 4, 4: of those not smaller, 1 / 9, 4 / 8 or 4 / 4.
    scores = relative_squares(torch.tensor([[1.0, -2.0, 2.0]]))
    torch.testing.assert_close(scores, torch.tensor([[1 / 9, 1.0, 0.5]]))


def test_pruning_follows_the_curve_to_its_end():
    torch.manual_seed(0)
    layers = {"a": torch.randn(20, 30), "b": torch.randn(10, 20)}
    fewer = Fewer(layers, 100, until=0.5)
    left = []
    for done in (0.0, 0.25, 0.5):
        fewer.before(done)
        left.append(sum(int(w.count_nonzero()) for w in layers.values()))
    assert left == [800, 100 + 700 // 8, 100]
    layers["a"].add_(1)
    fewer.after()
    assert sum(int(w.count_nonzero()) for w in layers.values()) == 100


def test_weights_that_share_a_value_move_together():
    weight = torch.tensor([1.0, 1.2, 0.0, -3.0], requires_grad=True)
    few = FewValues({"a": weight}, {"*": 2})
    torch.testing.assert_close(weight.detach(), torch.tensor([1.1, 1.1, 0.0, -3.0]))
    weight.grad = torch.tensor([1.0, 3.0, 7.0, -5.0])
    few.between()
    torch.testing.assert_close(weight.grad, torch.tensor([2.0, 2.0, 0.0, -5.0]))


def test_a_layer_without_a_pattern_is_named():
    with pytest.raises(ValueError, match=r"no pattern matches layer 'b'; add one, or '\*'"):
        FewValues({"b": torch.ones(3)}, {"a": 2})


def test_the_loss_without_a_teacher_is_cross_entropy():
    torch.manual_seed(2)
    scores, answers = torch.randn(6, 10), torch.randn(6, 10)
    labels = torch.arange(6)
    plain = Distillation(n_epochs=1, learning_rate=0.1, mix=0.0)
    expected = torch.nn.functional.cross_entropy(scores, labels)
    torch.testing.assert_close(plain.loss(scores, labels, answers), expected)


def test_the_teachers_part_of_the_loss_by_hand():
    # Two classes, temperature 1: p = (3/4, 1/4) against q = (1/2, 1/2).
    settings = Distillation(n_epochs=1, learning_rate=0.1, mix=1.0, temperature=1.0)
    loss = settings.loss(torch.zeros(1, 2), torch.tensor([0]), torch.tensor([[math.log(3.0), 0.0]]))
    expected = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_the_learning_rate_rises_then_falls():
    settings = Distillation(n_epochs=1, learning_rate=0.1, warm_up=0.1)
    assert settings.rate_at(0.0) < 0.01
    assert settings.rate_at(0.1) == pytest.approx(0.1 * (1 + math.cos(0.1 * math.pi)) / 2)
    assert settings.rate_at(1.0) == pytest.approx(0.0)


def test_answers_are_the_networks_own():
    net = torch.nn.Linear(3, 2)
    images = torch.randn(7, 3)
    torch.testing.assert_close(answers_of(net, images, batch=2), net(images).detach())


def test_neurons_are_counted_by_their_connections():
    # Inputs 0 and 2 are read; unit 1 has no input but an output, unit 2 neither; both outputs.
    first = torch.tensor([[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    second = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    assert counted({"fc1": first, "fc2": second}) == 2 + 2 + 2


def test_weights_are_counted_without_biases():
    net = torch.nn.Linear(4, 3)
    with torch.no_grad():
        net.weight[0, 0] = 0
    assert (n_weights(net), n_left(net)) == (12, 11)
