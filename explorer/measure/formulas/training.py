"""Formulas of penalties, of the temperature and of energy."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from explorer.measure.energy import ENERGY_45NM
from explorer.measure.energy_bill import WATTS_PER_PJ_A_SECOND
from explorer.measure.formulas.formula import Formula, fraction, grouped, text
from explorer.measure.soft_targets import check_logits, check_temperature, softened


@dataclass(frozen=True)
class PenaltyFormula(Formula):
    """A penalty's formula; ``words`` say it to those who cannot see it."""

    words: str = ""

    @property
    def spoken(self) -> str:
        """The penalty in words, and its value."""
        return f"{self.words} = {self.value_text}"


def penalty(name: str, latex: str, strength: float, value: float, words: str) -> PenaltyFormula:
    r"""Fill in a penalty: its formula in symbols, lambda times the sum, and the value.

    `name`: such as ``"L1"``. `latex`: the formula in symbols. `strength`: lambda, positive.
    `value`: the penalty with its factor, as it is added to the loss; NaN where it is not known.
    `words`: what it is, in plain words. Raises ValueError if the strength is not positive.

    Examples
    --------
    >>> penalty("L1", r"\lambda \sum_i |w_i|", 1e-4, 0.25, "Sum of magnitudes").value_text
    '0.25'
    """
    if not strength > 0:
        raise ValueError(f"strength must be positive, got {strength}: leave the penalty out")
    if math.isnan(value):
        return PenaltyFormula(name, latex, "", "", "", words=words)
    total, shown = _number(value / strength), f"{value:.3g}"
    filled = rf"= {_latex(strength)} \cdot {text(total)} = {text(shown)}"
    return PenaltyFormula(name, latex, filled, shown, "", words=words)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _latex(value: float) -> str:
    digits, _, exponent = f"{value:.2e}".partition("e")
    mantissa = digits.rstrip("0").rstrip(".")
    power = rf"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"


SHOWN = 2


def softmax_formula(logits: Tensor, temperature: float, number: int | None = None) -> Formula:
    r"""Fill in the softmax with a temperature for one class.

    `logits`: shape (n_classes,). `temperature`: positive and finite. `number`: the class; by
    default the likeliest. Returns: the denominator shows the two largest terms. Raises TypeError,
    ValueError if an argument does not fit.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.

    Examples
    --------
    >>> import torch
    >>> softmax_formula(torch.tensor([2.0, 0.0]), temperature=1).filled
    '= \\frac{e^{2 / 1}}{e^{2 / 1} + e^{0 / 1}} = \\text{0.881}'
    """
    check_logits("logits", logits, 1)
    chosen = int(logits.argmax()) if number is None else number
    if isinstance(chosen, bool) or not isinstance(chosen, int) or not 0 <= chosen < len(logits):
        raise ValueError(f"number must be an integer from 0 to {len(logits) - 1}; got {number!r}")
    value = f"{float(softened(logits, temperature)[chosen]):.3g}"
    largest = logits.topk(min(SHOWN, len(logits))).values.tolist()
    terms = [_power(z, temperature) for z in largest]
    terms += [r"\cdots"] if len(logits) > SHOWN else []
    ratio = fraction(_power(float(logits[chosen]), temperature), " + ".join(terms))
    return Formula(
        name="Softmax with temperature",
        latex=r"q_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}",
        filled=f"= {ratio} = {text(value)}",
        value_text=value,
        note="The higher T, the more equal the probabilities; their order stays.",
    )


def soft_loss(soft: float, hard: float, temperature: float, mix: float) -> Formula:
    r"""Fill in the loss of soft targets mixed with labels.

    `soft`, `hard`: the two terms with their factors, in nats, as the ``parts`` of a `TrainRecord`
    hold them; 0 for one without a share. `temperature`: positive and finite. `mix`: share of the
    teacher, in [0, 1]. Raises TypeError, ValueError if `temperature` or `mix` is out of range.

    References
    ----------
    Hinton, Vinyals, Dean. "Distilling the knowledge in a neural network". 2015.
    arXiv:1503.02531.

    Examples
    --------
    >>> soft_loss(1.8, 0.25, temperature=2.0, mix=0.5).filled
    '= 0.5 \\cdot 2^{2} \\cdot \\text{0.9} + 0.5 \\cdot \\text{0.5} = \\text{2.05}'
    """
    check_temperature(temperature)
    if not 0 <= mix <= 1:
        raise ValueError(f"mix must be in [0, 1]; got {mix!r}")
    terms = []
    if mix > 0:
        divergence = text(f"{soft / (mix * temperature**2):.3g}")
        terms.append(rf"{mix:g} \cdot {temperature:g}^{{2}} \cdot {divergence}")
    if mix < 1:
        terms.append(rf"{1 - mix:.3g} \cdot {text(f'{hard / (1 - mix):.3g}')}")
    value = f"{soft + hard:.3g}"
    return _loss(
        "Loss of soft targets",
        r"L = m \, T^{2} \, \text{KL} (p, q) + (1 - m) \, \text{CE} (y, q)",
        f"= {' + '.join(terms)} = {text(value)}",
        value,
        "KL compares the softened answers p of the teacher with q of the student; CE compares "
        "the student with the label y. The factor T squared keeps the gradients' size.",
    )


def logits_loss(value: float) -> Formula:
    """Fill in the squared error of logits.

    `value`: its mean over samples and classes.

    References
    ----------
    Ba, Caruana. "Do deep nets really need to be deep?". NeurIPS 2014. arXiv:1312.6184.
    """
    shown = f"{value:.3g}"
    return _loss(
        "Loss of matched logits",
        r"L = \frac{1}{N} \, \sum_i (z_i - v_i)^{2}",
        f"= {text(shown)}",
        shown,
        "z are the student's logits and v the teacher's, before the softmax.",
    )


def _loss(name: str, latex: str, filled: str, value: str, note: str) -> Formula:
    known = not math.isnan(float(value))
    return Formula(name, latex, filled if known else "", value if known else "", note)


def _power(logit: float, temperature: float) -> str:
    return f"e^{{{logit:.3g} / {temperature:.3g}}}"


def dram_example(connections: int = 10**9, fps: int = 20) -> Formula:
    """Work out the power for reading every weight of a network from DRAM.

    `connections`: weights of 32 bits, each read once for an image. `fps`: images a second. Returns:
    exact for the energy table of `explorer.measure.energy.ENERGY_45NM`.

    References
    ----------
    Han, Pool, Tran, Dally. "Learning both weights and connections for efficient
    neural networks". NeurIPS 2015. arXiv:1506.02626.
    """
    pj = ENERGY_45NM.dram
    watts = f"{connections * fps * pj * WATTS_PER_PJ_A_SECOND:.3g} W"
    return Formula(
        "Reading 32-bit weights from DRAM",
        r"P = n \cdot f \cdot E",
        rf"= {grouped(connections)} \cdot {fps} \, \text{{/s}} \cdot {text(f'{pj:g} pJ')} "
        rf"= {text(watts)}",
        watts,
        "n connections, each read once an image; f images a second; E for one 32-bit word. Nothing "
        "is computed yet.",
    )
