import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.measure.energy import ENERGY_45NM, EnergyTable, estimate

# Horowitz, ISSCC 2014, as printed in Han et al. 2015 (arXiv:1506.02626), table 1.
PUBLISHED_PJ = {
    "int32_add": 0.1,
    "float32_add": 0.9,
    "register_file": 1,
    "int32_mult": 3.1,
    "float32_mult": 3.7,
    "sram_cache": 5,
    "dram": 640,
}


def test_table_is_the_published_one():
    assert EnergyTable(**PUBLISHED_PJ) == ENERGY_45NM


def test_published_worked_example_of_12_8_watts():
    energy = estimate(weight_bits=32 * 10**9, macs=10**9)
    assert energy.memory == "DRAM"
    assert energy.memory_pj * 20 * 1e-12 == pytest.approx(12.8)


def test_by_hand():
    energy = estimate(weight_bits=64, macs=10, sram_bytes=8)
    assert energy.memory == "SRAM"
    assert energy.memory_pj == pytest.approx(2 * 5)
    assert energy.arithmetic_pj == pytest.approx(10 * 4.6)
    assert energy.total_pj == pytest.approx(56)


def test_one_bit_too_many_for_sram_goes_to_dram():
    assert estimate(65, 0, sram_bytes=8).memory_pj == pytest.approx(65 / 32 * 640)


def test_deep_compressed_alexnet_fits_the_default_sram_and_the_original_does_not():
    # Han, Mao, Dally. arXiv:1510.00149: 240 MB to 6.9 MB.
    assert estimate(8 * 240_000_000, 0).memory == "DRAM"
    assert estimate(8 * 6_900_000, 0).memory == "SRAM"


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**9))
def test_more_bits_never_take_less(bits, macs, more):
    less, full = estimate(bits, macs), estimate(bits + more, macs)
    assert less.total_pj <= full.total_pj
    assert less.arithmetic_pj == full.arithmetic_pj


@pytest.mark.parametrize("name", ["weight_bits", "macs", "sram_bytes"])
def test_negative_counts_are_refused(name):
    with pytest.raises(ValueError, match=rf"{name}: expected a count of 0 or more, got -1"):
        estimate(**{"weight_bits": 1, "macs": 1, "sram_bytes": 1, name: -1})
