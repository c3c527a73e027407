"""A compressed network's answers against the original's."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from sklearn.metrics import confusion_matrix as sklearn_matrix
from torch.nn.functional import kl_div

from explorer.measure.behavior import agreement, behavior, divergence_bits
from explorer.measure.confusion import confusion, confusion_matrix
from explorer.measure.gallery import thumbnails
from explorer.measure.predictions import Predictions

LABELS = torch.tensor([0, 1, 2, 2])
BEFORE = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.5, 0.3, 0.2], [0.25, 0.25, 0.5]])
AFTER = torch.tensor([[0.4, 0.5, 0.1], [0.2, 0.6, 0.2], [0.3, 0.5, 0.2], [0.25, 0.25, 0.5]])
BITS = [0.300762, 0.326979, 0.147393, 0.0]


def by_hand():
    return Predictions.of(BEFORE, LABELS), Predictions.of(AFTER, LABELS)


@st.composite
def predictions(draw):
    """What two networks answer to the same samples; whole scores give ties."""
    n, scale = draw(st.integers(1, 40)), draw(st.sampled_from([0.5, 3.0, 20.0]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10**6)))
    first, second = (scale * torch.randn(n, 5, generator=generator) for _ in range(2))
    labels = torch.randint(5, (n,), generator=generator)
    if draw(st.booleans()):
        first, second = first.round(), second.round()
    return Predictions.of(first, labels), Predictions.of(second, labels)


def test_four_samples_by_hand():
    found = behavior(*by_hand(), names=("a", "b"), n_total=9)
    assert (found.n, found.n_total) == (4, 9)
    assert [found.lost.tolist(), found.gained.tolist(), found.other.tolist()] == [[0], [1], [2]]
    assert found.next_lost.tolist() == [3, 1]
    assert (found.n_before, found.n_after) == (2, 2)
    rows = [(row.name, row.n, row.n_before, row.n_after) for row in found.classes]
    assert rows == [("a", 1, 1, 0), ("2", 2, 1, 1), ("b", 1, 0, 1)]
    assert [row.change for row in found.classes] == [-1.0, 0.0, 1.0]
    assert found.classes[1].interval == pytest.approx((0.0945, 0.9055), abs=1e-4)
    assert found.confusion.before.tolist() == [[1, 0, 0], [1, 0, 0], [1, 0, 1]]
    assert found.confusion.after.tolist() == [[0, 1, 0], [0, 1, 0], [0, 1, 1]]
    assert found.confusion.change.tolist() == [[-1, 1, 0], [-1, 1, 0], [-1, 1, 0]]
    pairs = [(p.truth, p.answer, p.n_before, p.n_after) for p in found.confusion.pairs]
    assert pairs == [(0, 1, 0, 1), (2, 1, 0, 1)]


def test_agreement_by_hand():
    found = agreement(*by_hand())
    assert (found.n, found.n_same, found.n_changed, found.share) == (4, 1, 3, 0.25)
    assert found.interval == pytest.approx((0.0456, 0.6994), abs=1e-4)
    mean = sum(BITS) / 4
    half = 1.96 * math.sqrt(sum((bits - mean) ** 2 for bits in BITS) / 3 / 4)
    assert found.kl_bits == pytest.approx(mean, abs=1e-6)
    assert (found.kl_low, found.kl_high) == pytest.approx((mean - half, mean + half), abs=1e-4)


def test_a_single_sample_has_no_interval():
    before, after = (Predictions.of(scores[:1], LABELS[:1]) for scores in (BEFORE, AFTER))
    found = agreement(before, after)
    assert (found.kl_low, found.kl_high) == (0.0, math.inf)


def test_galleries_show_the_first_of_each_kind():
    before, after = by_hand()
    asked = []

    def images(samples):
        asked.append(list(samples))
        return [torch.full((2, 2, 1), i, dtype=torch.uint8) for i in samples]

    galleries = behavior(before, after, "abc", thumbnails=images).galleries
    assert asked == [[0], [1], [3, 1]]
    (lost,) = galleries["lost"].pictures
    assert (lost.sample, lost.truth, lost.before, lost.after, lost.rival) == (0, 0, 0, 1, 1)
    assert (lost.sure_before, lost.sure_after) == pytest.approx((0.7, 0.5))
    assert lost.pixels.unique().tolist() == [0]
    going = galleries["next"]
    assert (going.n_in_all, going.n, going.names) == (2, 4, ("a", "b", "c"))
    assert going.pictures[0].rival in (0, 1) and going.pictures[0].sure_after == 0.5


def test_lost_ones_come_in_the_order_of_the_originals_margins():
    margins = torch.tensor([3.0, 1.0, 2.0] + [4.0] * 27)
    before = torch.stack([margins, torch.zeros(30)], 1)
    after = before.clone()
    after[:3] = -before[:3]
    labels = torch.zeros(30, dtype=torch.int64)
    found = behavior(Predictions.of(before, labels), Predictions.of(after, labels))
    assert found.lost.tolist() == [1, 2, 0]
    gallery = found.galleries["lost"]
    assert (gallery.n_weakest, gallery.n_among_weakest) == (3, 3)
    assert gallery.n_by_chance == gallery.n_in_all / 10
    back = behavior(Predictions.of(after, labels), Predictions.of(before, labels))
    assert back.gained.tolist() == [0, 2, 1]


@settings(max_examples=25)
@given(predictions())
def test_counts_fit_each_other(case):
    before, after = case
    found = behavior(before, after)
    sizes = torch.bincount(after.labels, minlength=5)
    for matrix in (found.confusion.before, found.confusion.after):
        assert torch.equal(matrix.sum(1), sizes)
    assert len(found.gained) - len(found.lost) == found.n_after - found.n_before
    assert found.n_after == int(found.confusion.after.diagonal().sum()) == len(found.next_lost)
    changed = len(found.gained) + len(found.lost) + len(found.other)
    assert found.agreement.n_same + changed == found.n
    assert sum(row.n for row in found.classes) == found.n
    changes = [row.change for row in found.classes]
    assert changes == sorted(changes)
    assert sum(pair.n_after for pair in found.confusion.pairs) == found.n - found.n_after


@settings(max_examples=25)
@given(predictions())
def test_a_network_agrees_with_itself(case):
    before, _ = case
    found = behavior(before, before)
    assert found.agreement.share == 1.0
    assert found.agreement.kl_bits == found.agreement.kl_low == 0.0
    assert not len(found.lost) and not len(found.gained) and not len(found.other)
    assert not found.confusion.change.any()


@settings(max_examples=25)
@given(predictions())
def test_torch_and_sklearn_find_the_same(case):
    before, after = case
    nats = kl_div(
        after.log_probabilities.double(),
        before.log_probabilities.double(),
        log_target=True,
        reduction="none",
    ).sum(1)
    bits = divergence_bits(before.log_probabilities, after.log_probabilities)
    torch.testing.assert_close(bits, nats / math.log(2), rtol=1e-4, atol=1e-5)
    expected = sklearn_matrix(after.labels, after.answers, labels=range(5))
    assert confusion_matrix(after.labels, after.answers, 5).tolist() == expected.tolist()


def test_many_classes_have_pairs_but_no_matrix():
    labels = torch.tensor([0, 0, 1500])
    scores = torch.zeros(3, 2000)
    scores[:, 7] = 1.0
    found = confusion(*(Predictions.of(scores, labels),) * 2, tuple(map(str, range(2000))))
    assert found.before is None and found.after is None and found.change is None
    assert [(p.truth, p.answer, p.n_after) for p in found.pairs] == [(0, 7, 2), (1500, 7, 1)]


def test_predictions_of_other_samples_are_refused():
    before, after = by_hand()
    fewer = Predictions.of(AFTER[:3], LABELS[:3])
    with pytest.raises(ValueError, match="got 4 samples of 3 classes and 3 of 3"):
        behavior(before, fewer)
    with pytest.raises(ValueError, match="labels differ; hand over data that is not shuffled"):
        behavior(before, Predictions.of(AFTER, LABELS.flip(0)))
    assert behavior(before, after).n == 4


def test_thumbnails_are_small_and_in_full_contrast():
    gray, color = torch.linspace(-3, 5, 12).reshape(1, 3, 4), torch.rand(3, 128, 64)
    first, flat, second, vector = thumbnails([gray, gray[0], color, torch.zeros(784)])
    assert first.shape == (3, 4, 1) and (first.min(), first.max()) == (0, 255)
    assert torch.equal(first, flat)
    assert second.shape == (64, 32, 3) and second.dtype == torch.uint8
    assert vector is None
    (known,) = thumbnails([torch.zeros(1, 2, 2)], lambda image: image + 0.5)
    assert known.unique().tolist() == [128]
    (even,) = thumbnails([torch.ones(1, 2, 2)])
    assert even.unique().tolist() == [0]
