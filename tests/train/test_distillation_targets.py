"""Losses of a student by hand, against torch's own and in the limit of high temperatures."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

import explorer as ex
from explorer.measure.formulas.formula import plain
from explorer.train.distillation import distill
from explorer.train.hints import Hints
from explorer.train.targets import HardLabels, MatchLogits, SoftTargets
from explorer.train.teacher import teacher_logits


def test_soft_loss_by_hand():
    answers, scores = torch.tensor([[math.log(4), 0.0, 0.0]]), torch.zeros(1, 3)
    labels = torch.tensor([1])
    # T = 1: p = 4/6, 1/6, 1/6 and q = 1/3 each. T = 2: the roots, p = 2/4, 1/4, 1/4.
    at_one = 4 / 6 * math.log(2) + 2 / 6 * math.log(0.5)
    at_two = 0.5 * math.log(1.5) + 0.5 * math.log(0.75)
    one = SoftTargets(temperature=1.0, mix=1.0).parts(scores, labels, answers)
    assert one == {"soft": pytest.approx(at_one, rel=1e-5)}
    both = SoftTargets(temperature=2.0, mix=0.75).parts(scores, labels, answers)
    assert both["soft"].item() == pytest.approx(0.75 * 4 * at_two, rel=1e-5)
    assert both["hard"].item() == pytest.approx(0.25 * math.log(3), rel=1e-5)
    assert list(SoftTargets(mix=0.0).parts(scores, labels, answers)) == ["hard"]


def test_squared_error_by_hand():
    scores, answers = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[0.0, 4.0, 3.0]])
    parts = MatchLogits().parts(scores, torch.tensor([0]), answers)
    assert parts == {"logits": pytest.approx((1 + 4 + 0) / 3)}


@settings(max_examples=30)
@given(st.integers(2, 6), st.integers(0, 1000))
def test_at_a_high_temperature_the_gradient_is_that_of_centered_logits(n_classes, seed):
    torch.manual_seed(seed)
    scores = torch.randn(1, n_classes, dtype=torch.float64, requires_grad=True)
    answers = torch.randn(1, n_classes, dtype=torch.float64)
    (loss,) = (
        SoftTargets(temperature=1e4, mix=1.0).parts(scores, torch.tensor([0]), answers).values()
    )
    loss.backward()
    centered = [z - z.mean() for z in (scores.detach(), answers)]
    assert torch.allclose(scores.grad, (centered[0] - centered[1]) / n_classes, atol=1e-3)


@settings(max_examples=30)
@given(st.floats(0.5, 30), st.floats(0.01, 1), st.integers(0, 1000))
def test_soft_loss_is_torchs_own_divergence(temperature, mix, seed):
    torch.manual_seed(seed)
    scores, answers = 5 * torch.randn(2, 4, 3, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 0])
    found = SoftTargets(temperature, mix).parts(scores, labels, answers)
    p = (answers / temperature).softmax(1)
    expected = F.kl_div((scores / temperature).softmax(1).log(), p, reduction="batchmean")
    assert found["soft"].item() == pytest.approx(mix * temperature**2 * expected.item(), rel=1e-6)
    assert found["soft"].item() >= -1e-9


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: SoftTargets(temperature=0), ValueError, "temperature must be finite and positive"),
        (lambda: SoftTargets(temperature=math.inf), ValueError, "temperature must be finite"),
        (lambda: SoftTargets(temperature="hot"), TypeError, "temperature must be a number"),
        (lambda: SoftTargets(mix=90), ValueError, r"mix must be in \[0, 1\]; got 90.*write 0\.9"),
        (lambda: SoftTargets(mix=None), TypeError, "mix must be a number"),
    ],
)
def test_bad_targets(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_targets_can_be_said_and_named():
    for target in (HardLabels(), MatchLogits(), SoftTargets(), Hints("1", "0")):
        assert plain(target.latex)
        assert target.describe()
        assert getattr(ex, type(target).__name__) is type(target)
    assert SoftTargets().describe() == "90% the teacher's answers at T = 4"
    assert (ex.distill, ex.teacher_logits) == (distill, teacher_logits)
