"""The formula that a dial's tooltip tells is the one that the code computes."""

from dataclasses import fields
from functools import partial
from math import ceil, cos, floor, log2, pi, sqrt

import numpy as np
import pytest
import torch

from explorer.compress.coding.relative_index import index_symbols
from explorer.compress.methods.binarize import Binarize
from explorer.compress.methods.low_rank import LowRank
from explorer.compress.methods.neurons import PruneNeurons
from explorer.compress.methods.product import Product
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.quantize import Quantize
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.residual import Residual
from explorer.compress.methods.share import Share
from explorer.experiments.experiment import BATCH
from explorer.experiments.lessons import WrongLabels
from explorer.experiments.pruning import CompareNorms, Regularize, Retrain
from explorer.experiments.structure import DropNeurons, ShareWhileTraining
from explorer.experiments.students import ShapesCompared, StudentBesideStudent
from explorer.train.data_variants import corrupt_labels
from explorer.train.penalties import L1, L2, IncomingNorm, OutgoingNorm
from explorer.train.retraining import gradual
from explorer.train.settings import TrainSettings
from explorer.train.targets import MatchLogits, SoftTargets
from explorer.zoo.students import two_layers

WEIGHT = torch.tensor([[0.3, -0.1, 0.25, -0.9], [0.7, 0.05, -0.4, 0.6], [0.2, -0.8, 0.1, 0.5]])
M, N = WEIGHT.shape
SCORES, ANSWERS, LABELS = (
    torch.tensor([[1.0, 0.0, -1.0]]),
    torch.tensor([[2.0, 1.0, -2.0]]),
    torch.tensor([1]),
)
SETTINGS = TrainSettings(learning_rate=0.1, batch_size=BATCH)
ALONG_COSINE = "ηₜ = η · (1 + cos(π · t / n)) / 2"
SOFTMAX = "pᵢ = exp(zᵢ / T) / Σ exp(zⱼ / T)"


def zeros(step):
    return int((step(WEIGHT).restore() == 0).sum())


def restored(step):
    return step(WEIGHT).restore()


def bits(step, place):
    return step(WEIGHT).field_bits[place]


def penalty(kind):
    return float(kind(strength=1.0).value({"fc": WEIGHT}))


def steps_of_an_epoch():
    return SETTINGS.steps_an_epoch(1000)


def rate():
    return SETTINGS.rate_at(3, 1000, n_steps=10), 0.1 * (1 + cos(pi * 3 / 10)) / 2


def n_weights_of_a_student():
    student = two_layers(5, input_shape=(1, 4, 4), n_classes=3)
    return sum(p.numel() for p in student.parameters() if p.ndim > 1)


def hits_of_energy(share):
    """Energy of the kept singular values, and of one fewer, as shares."""
    squares = torch.linalg.svdvals(WEIGHT) ** 2
    k = LowRank(energy=share)(WEIGHT).rank
    return float(squares[:k].sum() / squares.sum()), float(squares[: k - 1].sum() / squares.sum())


def loss(mix, temperature):
    parts = SoftTargets(temperature, mix).parts(SCORES, LABELS, ANSWERS)
    p, q = (softmax(z[0] / temperature) for z in (ANSWERS, SCORES))
    hard = -torch.log(softmax(SCORES[0])[LABELS[0]])
    divergence = (p * (p / q).log()).sum()
    wanted = mix * temperature**2 * divergence + (1 - mix) * hard
    return float(sum(parts.values())), float(wanted)


def softmax(logits):
    return logits.exp() / logits.exp().sum()


def fillers(gap, n_bits):
    return len(index_symbols(np.array([gap]), n_bits)) - 1


def norm(kind):
    return float(PruneNeurons(0.5, kind).norms(WEIGHT)[2])


def ranges(granularity):
    return bits(Quantize(bits=2, granularity=granularity), 2)


FORMULAS = [
    (Prune, "sparsity", "zeros = round(s · n)", lambda: (zeros(Prune(0.4)), round(0.4 * 12))),
    (Prune, "threshold", "|w| < t", lambda: (zeros(Prune(threshold=0.25)), 4)),
    (
        PruneNeurons,
        "fraction",
        "min(round(f · n), n − 1)",
        lambda: ([PruneNeurons(f).count(5) for f in (0.3, 0.99)], [round(0.3 * 5), 4]),
    ),
    (PruneNeurons, "norm", "L1 is Σ |w|", lambda: (norm("l1"), 0.2 + 0.8 + 0.1 + 0.5)),
    (PruneNeurons, "norm", "L2 is √(Σ w²)", lambda: (norm("l2"), sqrt(0.04 + 0.64 + 0.01 + 0.25))),
    (
        Quantize,
        "bits",
        "step = (max − min) / (2ᵇ − 1)",
        lambda: (float(restored(Quantize(bits=2)).unique().diff().min()), (0.7 + 0.9) / 3),
    ),
    (Quantize, "granularity", "64 more bits each", lambda: (ranges("channel"), 64 * M)),
    (Binarize, "scale", "the mean |w|", lambda: (float(restored(Binarize()).max()), 4.9 / 12)),
    (
        Share,
        "n_clusters",
        "⌈log₂ k⌉ bits",
        lambda: (bits(Share(n_clusters=5), 1), 12 * ceil(log2(5))),
    ),
    (
        Product,
        "n_subvectors",
        "m · s codes of ⌈log₂ k⌉ bits",
        lambda: (bits(Product(2, 3), 0), M * 2 * ceil(log2(3))),
    ),
    (Product, "n_centroids", "k · n numbers", lambda: (bits(Product(2, 3), 1), 3 * N * 32)),
    (Product, "axis", "k · n numbers", lambda: (bits(Product(2, 2, 1), 1), 2 * N * 32)),
    (Product, "axis", "k · m numbers", lambda: (bits(Product(2, 2, 0), 1), 2 * M * 32)),
    (Residual, "n_stages", "t codes a row", lambda: (bits(Residual(2, 2), 0), 2 * M)),
    (
        Residual,
        "n_centroids",
        "t · k · n numbers",
        lambda: (bits(Residual(2, 2), 1), 2 * 2 * N * 32),
    ),
    (
        LowRank,
        "rank",
        "k · (m + n + 1) numbers",
        lambda: (sum(LowRank(rank=2)(WEIGHT).field_bits), 2 * (M + N + 1) * 32),
    ),
    (
        LowRank,
        "energy",
        "σ₁² + … + σₖ² ≥ e · Σ σᵢ²",
        lambda: ([hit >= 0.8 for hit in hits_of_energy(0.8)], [True, False]),
    ),
    (
        RelativeIndex,
        "bits",
        "⌊gap / (2ᵇ − 1)⌋ fillers",
        lambda: ([fillers(gap, 3) for gap in (6, 7, 30)], [gap // 7 for gap in (6, 7, 30)]),
    ),
    (
        Retrain,
        "sparsity",
        "s · (1 − (1 − t / n)³)",
        lambda: (1 - gradual(1 - 0.9, 3)[1], 0.9 * (1 - (1 - 2 / 3) ** 3)),
    ),
    (
        Retrain,
        "n_epochs",
        f"⌊samples / {BATCH}⌋ steps",
        lambda: (steps_of_an_epoch(), floor(1000 / BATCH)),
    ),
    (Retrain, "learning_rate", ALONG_COSINE, rate),
    (StudentBesideStudent, "learning_rate", ALONG_COSINE, rate),
    (TrainSettings, "schedule", ALONG_COSINE, rate),
    (Retrain, "l1", "λ · Σ |w|", lambda: (penalty(L1), float(WEIGHT.abs().sum()))),
    (Regularize, "l1", "λ · Σ |w|", lambda: (penalty(L1), float(WEIGHT.abs().sum()))),
    (Regularize, "l2", "λ · Σ w²", lambda: (penalty(L2), float((WEIGHT**2).sum()))),
    (CompareNorms, "strength", "λ · Σ w²", lambda: (penalty(L2), float((WEIGHT**2).sum()))),
    (
        Regularize,
        "li",
        "λ · Σⱼ ‖weights into neuron j‖₂",
        lambda: (penalty(IncomingNorm), float((WEIGHT**2).sum(1).sqrt().sum())),
    ),
    (
        DropNeurons,
        "lo",
        "λ · Σᵢ ‖weights out of neuron i‖₂",
        lambda: (penalty(OutgoingNorm), float((WEIGHT**2).sum(0).sqrt().sum())),
    ),
    (
        ShareWhileTraining,
        "n_clusters",
        "⌈log₂ k⌉ bits",
        lambda: (bits(Share(n_clusters=5), 1), 12 * ceil(log2(5))),
    ),
    (
        StudentBesideStudent,
        "width",
        "inputs · h + h² + h · classes",
        lambda: (n_weights_of_a_student(), 16 * 5 + 5**2 + 5 * 3),
    ),
    (
        StudentBesideStudent,
        "mix",
        "m · T² · KL(p, q) + (1 − m) · CE(y, q)",
        partial(loss, 0.7, 3.0),
    ),
    (SoftTargets, "mix", "m · T² · KL(p, q) + (1 − m) · CE(y, q)", partial(loss, 0.2, 1.5)),
    (StudentBesideStudent, "temperature", SOFTMAX, partial(loss, 1.0, 3.0)),
    (SoftTargets, "temperature", SOFTMAX, partial(loss, 1.0, 0.5)),
    (ShapesCompared, "temperature", SOFTMAX, partial(loss, 1.0, 2.0)),
    (
        StudentBesideStudent,
        "what",
        "Σ (z − v)² / N",
        lambda: (
            float(MatchLogits().parts(SCORES, LABELS, ANSWERS)["logits"]),
            float(((SCORES - ANSWERS) ** 2).sum() / 3),
        ),
    ),
    (
        WrongLabels,
        "noise",
        "round(p · n) are wrong",
        lambda: (int(corrupt_labels(torch.zeros(7).long(), 0.3, 3)[1].sum()), round(0.3 * 7)),
    ),
]


def named(case):
    return f"{case[0].__name__}-{case[1]}-{case[2]}"


@pytest.mark.parametrize("case", FORMULAS, ids=named)
def test_the_formula_that_is_told_is_the_one_that_is_computed(case):
    kind, name, formula, both = case
    [told] = [field.metadata["dial"].help for field in fields(kind) if field.name == name]
    assert formula in told
    computed, wanted = both()
    assert computed == pytest.approx(wanted, rel=1e-5)
