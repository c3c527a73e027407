import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.views import format as fmt


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_066_440, "1,066.4 KB"),
        (27_900, "27.9 KB"),
        (10_000_000, "10.0 MB"),
        (244_403_840, "244.4 MB"),
        (1_270_000_000, "1.27 GB"),
    ],
)
def test_sizes_count_a_thousand_bytes_to_the_kilobyte(n_bytes, text):
    assert fmt.size_text(n_bytes) == text


@pytest.mark.parametrize(
    ("ratio", "text"), [(12.34, "12.3×"), (99.96, "100×"), (1.0, "1.0×"), (float("inf"), "—")]
)
def test_ratios_carry_the_multiplication_sign(ratio, text):
    assert fmt.ratio_text(ratio) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.979, "97.9%"),
        (0, "0.0%"),
        (1, "100.0%"),
        (0.9999, "99.99%"),
        (0.0003, "0.03%"),
        (1 / 2_170_000, "<0.0001%"),
        (1 - 1 / 2_170_000, ">99.9999%"),
    ],
)
def test_percents_do_not_round_onto_the_ends(fraction, text):
    assert fmt.percent_text(fraction) == text


@given(st.floats(0, 1))
def test_percents_stay_within_half_a_last_place(fraction):
    shown = float(fmt.percent_text(fraction).strip("<>%"))
    assert abs(shown - 100 * fraction) <= 0.05 + 1e-9


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (-0.004, "−0.4 points"),
        (0.0123, "+1.2 points"),
        (0.0, "±0.0 points"),
        (-1e-5, "±0.0 points"),
    ],
)
def test_points_carry_their_sign(change, text):
    assert fmt.points_text(change) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(266_610, "266,610"), (61_100_840, "61.1 M"), (15_470_264_320, "15.47 G")],
)
def test_counts_are_full_below_a_million(count, text):
    assert fmt.count_text(count) == text


@pytest.mark.parametrize(
    ("energy", "text"),
    [(3.7, "3.7 pJ"), (640, "640 pJ"), (1_420, "1.42 nJ"), (1.36e5, "136 nJ"), (6.37e8, "637 µJ"),
     (2e9, "2 mJ"), (999_900, "1 µJ"), (3e12, "3 J")],
)  # fmt: skip
def test_energies_take_the_unit_that_reads_best(energy, text):
    assert fmt.energy_text(energy) == text


def test_shapes_are_joined_by_the_sign():
    assert fmt.shape_text((4096, 25088)) == "4,096 × 25,088"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (100.0, 100.0, "unchanged"),
        (100.0, 0.0, "nothing left"),
        (0.0, 100.0, "\N{EM DASH}"),
        (1e6, 1e6 - 500, "500 B smaller"),
        (1e6, 1e6 + 5_000, "0.5% larger"),
        (1e6, 25e4, "4.0\N{MULTIPLICATION SIGN} smaller"),
    ],
)
def test_changes_are_told_as_ratio_percent_or_amount(before, after, words):
    assert fmt.change_text(before, after, fmt.size_text) == words
    ways = ("less", "more")
    told = words.replace("smaller", "less").replace("larger", "more")
    assert fmt.change_text(before, after, fmt.size_text, ways) == told


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.25, "25.0%"),
        (0.0, "0.0%"),
        (1.0, "100.0%"),
        (5e-8, "1 in 20.0 M"),
        (1 - 1e-7, "all but 1 in 10.0 M"),
        (1e-30, "1 in 10^30"),
    ],
)
def test_probabilities_next_to_0_and_1_are_odds(probability, words):
    assert fmt.probability_text(probability) == words
