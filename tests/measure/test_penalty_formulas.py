"""Penalties as formulas with their numbers."""

import math

import pytest
import torch
from latex2mathml.converter import convert

from explorer.measure.formulas.training import penalty
from explorer.train.penalties import L1, L2, IncomingNorm, OutgoingNorm


def test_strength_times_sum_by_hand():
    found = penalty("L1", r"\lambda \sum_i |w_i|", 2e-4, 0.5, "Sum of magnitudes")
    assert found.filled == r"= 2 \cdot 10^{-4} \cdot \text{2,500} = \text{0.5}"
    assert found.value_text == "0.5"
    assert found.spoken == "Sum of magnitudes = 0.5"
    ten = penalty("L2", "x", 1e-3, 3e-5, "")
    assert ten.filled == r"= 10^{-3} \cdot \text{0.03} = \text{3e-05}"


def test_before_it_is_known_only_the_symbols():
    found = penalty("L1", "x", 1e-3, math.nan, "words")
    assert (found.filled, found.value_text) == ("", "")


@pytest.mark.parametrize("kind", [L1, L2, IncomingNorm, OutgoingNorm])
def test_every_penalty_can_be_typeset(kind):
    term = kind(strength=0.5)
    value = float(term.value({"a": torch.ones(2, 3), "b": torch.ones(1, 2)}))
    found = penalty(term.name, term.latex, term.strength, value, "words")
    assert "<math" in convert(found.latex)
    assert "<math" in convert(found.filled)


def test_a_penalty_that_is_off_is_refused():
    with pytest.raises(ValueError, match="strength must be positive, got 0: leave the penalty out"):
        penalty("L1", "x", 0, 0.0, "")
