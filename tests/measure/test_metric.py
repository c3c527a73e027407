import threading
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.measure import metric as metric_module
from explorer.measure.metric import ACCURACY, Metric, MetricRunner, Scale, Score, as_metric
from explorer.views.format import change_words, number_text, score_text, tone, value_text
from explorer.views.plot import score_axis


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).eval()


def perplexity(_net):
    return 45.3


def test_a_score_is_what_the_metric_told():
    metric = ex.Metric(perplexity, unit="nats", higher_is_better=False)
    score = ex.evaluate(network(), metric=metric)
    assert score == Score(45.3, "perplexity", "nats", False)
    assert (score.top1, score.n, score.low, score.high, score.complete) == (
        45.3,
        0,
        None,
        None,
        True,
    )
    samples = (torch.randn(4, 6), torch.zeros(4).long())
    assert ex.evaluate(network(), [samples], metric=perplexity).value == 45.3
    assert ex.evaluate(network(), metric=lambda net: 3).name == "metric"
    with pytest.raises(ValueError, match=r"data: there is nothing to judge by; .* or metric="):
        ex.evaluate(network())


def test_a_metric_may_tell_an_interval():
    metric = Metric(lambda net: Score(0.5, n=40, low=0.4, high=0.6), "R squared")
    score = ex.evaluate(network(), metric=metric)
    assert (score.name, score.n, score.low, score.high) == ("R squared", 40, 0.4, 0.6)
    with pytest.raises(ValueError, match=r"expected low <= value <= high; got 0.4, 0.3, 0.6"):
        Score(0.3, low=0.4, high=0.6)
    with pytest.raises(ValueError, match="give both or neither"):
        Score(0.3, low=0.2)


@pytest.mark.parametrize("told", [0.5, np.float32(0.5), np.float64(0.5), Fraction(1, 2)])
def test_every_kind_of_finite_number_is_taken(told):
    value = ex.evaluate(network(), metric=lambda net: told).value
    assert value == 0.5 and type(value) is float


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (None, "got None"),
        ("0.98", "got '0.98'"),
        (True, "got True"),
        ([0.5], r"got \[0.5\]"),
        (torch.tensor(0.5), r"got a Tensor of shape \(\): return float\(value\)"),
        (torch.zeros(3), r"got a Tensor of shape \(3,\): return float"),
        (np.zeros(()), r"got a ndarray of shape \(\): return float"),
        (float("nan"), "got nan"),
        (float("-inf"), "got -inf"),
        (10**400, "got inf"),
        (1j, "got 1j"),
    ],
)
def test_what_is_no_finite_number_is_refused_in_words(told, words):
    with pytest.raises((TypeError, ValueError), match=f"metric: expected a finite number.*{words}"):
        ex.evaluate(network(), metric=lambda net: told)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), StopIteration()])
def test_a_metric_cannot_end_what_calls_it(error):
    def ends(_net):
        raise error

    with pytest.raises(RuntimeError, match=f"metric: raised {type(error).__name__}"):
        ex.evaluate(network(), metric=ends)


def test_what_a_metric_raises_is_told_as_it_is():
    with pytest.raises(ZeroDivisionError):
        ex.evaluate(network(), metric=lambda net: 1 / 0)


def test_a_metric_cannot_change_the_network():
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}

    def rough(given):
        given.train()
        for parameter in given.parameters():
            parameter.requires_grad_(False).zero_()
        return 1.0

    ex.evaluate(net, metric=rough)
    assert not net.training and all(p.requires_grad for p in net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_metric_without_an_answer_is_given_up():
    release = threading.Event()
    metric = Metric(lambda net: release.wait(30) and 1.0, "slow", longest_s=0.1)
    with pytest.raises(
        TimeoutError, match=r"metric: slow has not answered within 0.1 s .*longest_s"
    ):
        ex.evaluate(network(), metric=metric)
    release.set()


def test_calls_that_hang_are_few(monkeypatch):
    monkeypatch.setattr(metric_module, "PATIENCE_S", 0.01)
    release = threading.Event()
    runner = MetricRunner(Metric(lambda net: release.wait(30) and 1.0, "stuck", longest_s=0.02))
    for _ in range(metric_module.MOST_CALLS):
        with pytest.raises(TimeoutError):
            runner.ask(network())
    with pytest.raises(RuntimeError, match="3 earlier calls of stuck have not returned yet"):
        runner.ask(network())
    release.set()
    for call in list(runner._left):
        call.done.wait(10)
    assert runner.ask(network()).value == 1.0


def test_one_that_is_not_wanted_any_more_is_left():
    release = threading.Event()
    runner = MetricRunner(Metric(lambda net: release.wait(30) and 1.0))
    assert runner.ask(network(), lambda: True) is None
    release.set()


def test_what_is_no_metric_is_refused():
    with pytest.raises(TypeError, match=r"metric: expected a function .* got str"):
        as_metric("accuracy")
    with pytest.raises(TypeError, match="higher_is_better must be True or False; got 'yes'"):
        Metric(perplexity, higher_is_better="yes")
    with pytest.raises(ValueError, match="longest_s must be positive"):
        Metric(perplexity, longest_s=0)
    with pytest.raises(ValueError, match="name: expected plain text"):
        Metric(perplexity, name="<b>x</b>")
    with pytest.raises(ValueError, match="unit: expected plain text"):
        Metric(perplexity, unit="a\nb")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (45.3, "45.3"),
        (0.98, "0.98"),
        (-0.7, "−0.7"),
        (0.99999, "0.99999"),
        (0.0, "0"),
        (123456.7, "123,457"),
        (1e300, "1e+300"),
        (0.00001234, "1.234e-05"),
    ],
)
def test_values_read_as_what_they_are(value, text):
    assert number_text(value) == text
    assert score_text(Score(value, unit="nats")) == f"{text} nats"


def test_accuracy_reads_in_percent_and_nothing_else_does():
    accuracy = ex.Accuracy.from_counts(9, 10, 10)
    assert (accuracy.value, accuracy.name, accuracy.unit) == (0.9, "Accuracy", "%")
    assert accuracy.higher_is_better and score_text(accuracy) == "90.0%"
    assert value_text(87.3, Scale("top-1", "%")) == "87.3%"
    assert change_words(-0.004, ACCURACY) == "−0.4 points"
    assert change_words(1.25, Scale("perplexity")) == "+1.25"
    assert change_words(0.0, Scale("loss", "nats")) == "±0 nats"


def test_what_is_good_follows_the_direction():
    before, worse, better = (Score(v, higher_is_better=False) for v in (3.2, 48.0, 3.1))
    assert (tone(before, worse), tone(before, better), tone(before, before)) == (
        "bad",
        "good",
        "good",
    )
    assert tone(Score(0.0), Score(-1.0)) == "bad"
    assert tone(Score(0.98), Score(0.96)) == "warn"


@pytest.mark.parametrize("values", [[], [45.3], [1e300, -1e300], [0.0], [3.2, 190.0], [1e-300]])
@pytest.mark.parametrize("upper", [None, 0.2])
@pytest.mark.parametrize("higher", [True, False])
def test_an_axis_spans_any_values(values, upper, higher):
    axis = score_axis(values, Scale("x", "", higher), values[0] if values else None, upper)
    assert axis.low < axis.high and len(axis.ticks) >= 1
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
