"""The softmax with a temperature and the losses, with their numbers."""

import math

import pytest
import torch
from latex2mathml.converter import convert

from explorer.measure.formulas.training import logits_loss, soft_loss, softmax_formula


def test_softmax_by_hand():
    found = softmax_formula(torch.tensor([0.0, math.log(4), -1.0]), 2.0, number=0)
    # Roots of 1, 4 and e^-1: 1 / (1 + 2 + 0.607).
    assert found.value_text == "0.277"
    assert found.filled == (r"= \frac{e^{0 / 2}}{e^{1.39 / 2} + e^{0 / 2} + \cdots} = \text{0.277}")
    assert softmax_formula(torch.tensor([0.0, 5.0]), 1).value_text == "0.993"
    assert found.spoken == (
        "Softmax with temperature: q i = (e^z i / T) / (sum over j e^z j / T) "
        "= (e^0 / 2) / (e^1.39 / 2 + e^0 / 2 + …) = 0.277"
    )


def test_losses_by_hand():
    found = soft_loss(0.75 * 4 * 0.5, 0.25 * 2.0, temperature=2.0, mix=0.75)
    assert found.filled == (r"= 0.75 \cdot 2^{2} \cdot \text{0.5} + 0.25 \cdot \text{2} = \text{2}")
    assert (
        soft_loss(0.32, 0.0, 4.0, 1.0).filled == r"= 1 \cdot 4^{2} \cdot \text{0.02} = \text{0.32}"
    )
    assert soft_loss(0.0, 0.3, 4.0, 0.0).filled == r"= 1 \cdot \text{0.3} = \text{0.3}"
    assert logits_loss(2.5).filled == r"= \text{2.5}"


def test_before_it_is_known_only_the_symbols():
    for found in (soft_loss(math.nan, math.nan, 4.0, 0.9), logits_loss(math.nan)):
        assert (found.filled, found.value_text) == ("", "")
        assert found.spoken


@pytest.mark.parametrize(
    "formula",
    [
        softmax_formula(torch.tensor([1e3, -1e-9]), 30.0),
        soft_loss(1e-9, 1e9, 0.5, 0.1),
        logits_loss(3.0),
    ],
)
def test_every_formula_can_be_typeset_and_said(formula):
    assert "<math" in convert(formula.latex)
    assert "<math" in convert(formula.filled)
    assert formula.name in formula.spoken
    assert formula.note


def test_bad_arguments():
    with pytest.raises(ValueError, match="number must be an integer from 0 to 1; got 2"):
        softmax_formula(torch.zeros(2), 1.0, number=2)
    with pytest.raises(ValueError, match="temperature must be finite and positive; got 0"):
        softmax_formula(torch.zeros(2), 0)
    with pytest.raises(ValueError, match=r"mix must be in \[0, 1\]; got 2"):
        soft_loss(1.0, 1.0, 1.0, 2)
