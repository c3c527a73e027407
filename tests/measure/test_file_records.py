import numpy as np
import pytest

from explorer.measure.bytes import Breakdown, BreakdownRow, Waterfall
from explorer.measure.latency import SpeedRow
from explorer.measure.spectrum import Codebook


def test_a_waterfall_knows_its_ratios():
    stages = Waterfall((("Original", 1000), ("Prune", 250), ("Share", 500)))
    assert stages.ratios == (1.0, 4.0, 2.0)
    assert stages.step_ratios == (1.0, 4.0, 0.5)


def test_a_waterfall_needs_sizes():
    with pytest.raises(ValueError, match="stages must begin with the original"):
        Waterfall(())
    with pytest.raises(ValueError, match="stage 'Prune' must have a positive size, got 0"):
        Waterfall((("Original", 10), ("Prune", 0)))


def test_a_breakdown_adds_up():
    rows = (
        BreakdownRow("fc1", {"indices": 12, "values": 30}),
        BreakdownRow("header", {"header": 22}),
    )
    file = Breakdown(rows)
    assert file.totals == {"values": 30, "indices": 12, "header": 22}
    assert list(file.totals) == ["values", "indices", "header"]
    assert file.size_bytes == 8
    assert rows[0].total_bits == 42
    assert Breakdown(()).size_bytes == 0


def test_a_breakdown_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r"role must be one of values, indices.*got 'weights'"):
        BreakdownRow("fc1", {"weights": 1})
    with pytest.raises(ValueError, match="bits of values in 'fc1' must not be negative: -1"):
        BreakdownRow("fc1", {"values": -1})
    with pytest.raises(ValueError, match="the rows hold 3 bits beyond 1 bytes: count the padding"):
        _ = Breakdown((BreakdownRow("fc1", {"values": 11}),)).size_bytes


def test_a_codebook_knows_its_mean_code():
    levels, counts = np.array([-1.0, 0.5], np.float32), np.array([3, 1])
    assert Codebook(levels, counts, 1).mean_bits == 1.0
    coded = Codebook(levels, counts, 1, np.array([1, 5]))
    assert (coded.mean_bits, coded.n_coded) == (2.0, 4)
    assert Codebook(levels, np.zeros(2, int), 1, np.array([1, 5])).mean_bits == 1.0


def test_many_levels_are_gathered_in_equal_steps():
    levels, counts = np.array([0.0, 0.5, 2.0, 3.5, 4.0], np.float32), np.array([5, 1, 2, 3, 4])
    book = Codebook(levels, counts, 3)
    places, gathered = book.gathered(5)
    assert (places.tolist(), gathered.tolist()) == (levels.tolist(), counts.tolist())
    places, gathered = book.gathered(4)  # 0 to 1, to 2, to 3, and to 4 with its end
    assert (places.tolist(), gathered.tolist()) == ([0.5, 1.5, 2.5, 3.5], [6, 0, 2, 7])


@pytest.mark.parametrize("changes", [{"counts": np.ones(3)}, {"code_lengths": np.ones(1)}])
def test_a_codebook_needs_one_entry_a_level(changes):
    given = {"levels": np.zeros(2), "counts": np.ones(2), "code_bits": 1}
    name = next(iter(changes))
    with pytest.raises(ValueError, match=f"{name} must have one entry for each of the 2 levels"):
        Codebook(**(given | changes))


def test_a_speed_row_knows_its_speedup_and_needs_times():
    assert SpeedRow("fc1", 12.0, 4.0).speedup == 3.0
    with pytest.raises(ValueError, match="after_ms of 'fc1' must be positive, got 0"):
        SpeedRow("fc1", 1.0, 0)
    with pytest.raises(ValueError, match="before_ms of 'fc1' must be positive, got nan"):
        SpeedRow("fc1", float("nan"), 1.0)
