import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from explorer.measure.anatomy import anatomy
from explorer.measure.energy import Demand, demand, estimate
from explorer.measure.energy_bill import EIE, Chip, energy_bill, energy_bills
from explorer.measure.formulas.training import dram_example
from explorer.measure.published.devices import BUDGETS, Budget, device_fits
from explorer.measure.result import LayerFigures, Result
from explorer.zoo.architectures import lenet_5

COUNTS = st.integers(0, 10**11)


def lenet_result(size_bytes=100_000, macs_left=1.0, fc1_rows=500):
    rows = []
    for name, shape, macs in (
        ("conv1", (20, 1, 5, 5), 288_000),
        ("conv2", (50, 20, 5, 5), 1_600_000),
        ("fc1", (fc1_rows, 800), 400_000),
        ("fc2", (10, fc1_rows), 5_000),
    ):
        n = {"conv1": 500, "conv2": 25_000, "fc1": 400_000, "fc2": 5_000}[name]
        left = round(macs * macs_left)
        rows.append(LayerFigures(name, shape, n, n, 32 * n, 8, 0.0, left, macs))
    return Result(tuple(rows), 1_724_320, size_bytes, 0)


def test_by_hand():
    chip = Chip(weight_sram_bytes=8, activation_sram_bytes=4)
    bill = energy_bill(Demand(weight_bits=64, macs=10, activation_bits=96, working_bits=32), chip)
    assert (bill.weight_memory, bill.activation_memory) == ("SRAM", "SRAM")
    assert bill.weights_pj == pytest.approx(2 * 5)
    assert bill.activations_pj == pytest.approx(2 * 3 * 5)
    assert bill.arithmetic_pj == pytest.approx(10 * 4.6)
    assert bill.total_pj == pytest.approx(10 + 30 + 46)
    assert bill.watts(50) == pytest.approx(86e-12 * 50)
    assert sum(item.energy_pj for item in bill.items) == pytest.approx(bill.total_pj)


def test_one_bit_too_many_goes_to_dram():
    chip = Chip(weight_sram_bytes=8, activation_sram_bytes=4)
    bill = energy_bill(Demand(65, 0, 96, 33), chip)
    assert (bill.weight_memory, bill.activation_memory) == ("DRAM", "DRAM")
    assert bill.weights_pj == pytest.approx(65 / 32 * 640)
    assert bill.activations_pj == pytest.approx(2 * 3 * 640)


@given(COUNTS, COUNTS)
def test_weights_and_arithmetic_are_those_of_the_estimate(bits, macs):
    bill = energy_bill(Demand(bits, macs, 10, 10))
    known = estimate(bits, macs)
    assert (bill.weights_pj, bill.arithmetic_pj) == (known.memory_pj, known.arithmetic_pj)
    assert bill.weight_memory == known.memory


@given(COUNTS, COUNTS, COUNTS, st.floats(0, 1000))
def test_more_traffic_never_takes_less_and_power_is_proportional(bits, working, more, fps):
    less = energy_bill(Demand(bits, 0, bits, working))
    full = energy_bill(Demand(bits + more, 0, bits + more, working + more))
    assert less.total_pj <= full.total_pj
    assert less.watts(2 * fps) == pytest.approx(2 * less.watts(fps))


def test_the_published_example_of_12_8_watts():
    bill = energy_bill(Demand(32 * 10**9, macs=0, activation_bits=0, working_bits=0))
    assert bill.watts(20) == pytest.approx(12.8)
    formula = dram_example()
    assert formula.value_text == "12.8 W"
    assert formula.spoken.endswith("P = n × f × E = 1,000,000,000 × 20 /s × 640 pJ = 12.8 W")
    assert dram_example(10**6, 30).value_text == "0.0192 W"


def test_lenet_5s_activations_by_hand():
    found = anatomy(lenet_5(), (1, 28, 28))
    asked = demand(found, {}, 32 * 430_500, found.macs)
    # Image, 20 maps of 24 x 24, 50 of 8 x 8, 500 and 10 values.
    assert asked.activation_bits == 32 * (784 + 11_520 + 3_200 + 500 + 10)
    assert asked.working_bits == 32 * (11_520 + 3_200)


def test_lost_neurons_leave_less_traffic():
    found = anatomy(lenet_5(), (1, 28, 28))
    bills = energy_bills(found, lenet_result(fc1_rows=100))
    before, after = bills.before.demand, bills.after.demand
    assert before.activation_bits - after.activation_bits == 32 * 400


def test_a_transposed_convolution_gives_what_its_second_axis_says():
    found = anatomy(nn.Sequential(nn.ConvTranspose2d(3, 4, 2, bias=False)), (3, 5, 5))
    whole = demand(found, {}, 0, 1).activation_bits
    assert whole == 32 * (75 + 4 * 36)
    assert demand(found, {"0": (3, 2, 2, 2)}, 0, 1).activation_bits == 32 * (75 + 2 * 36)


def test_the_bill_is_that_of_the_estimate_with_activations():
    result = lenet_result(macs_left=0.25)
    bills = energy_bills(anatomy(lenet_5(), (1, 28, 28)), result)
    page = estimate(8 * result.size_bytes, result.macs).total_pj
    assert bills.after.total_pj - bills.after.activations_pj == pytest.approx(page)
    assert bills.chip is EIE


def test_without_an_input_shape_there_is_no_bill():
    assert energy_bills(anatomy(lenet_5(), None), lenet_result()) is None


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="macs: expected a count of 0 or more, got -1"):
        Demand(0, -1, 0, 0)
    with pytest.raises(ValueError, match="fps: expected 0 or more inferences a second, got -2"):
        energy_bill(Demand(0, 0, 0, 0)).watts(-2)
    with pytest.raises(ValueError, match="found: expected an anatomy for a known input shape"):
        demand(anatomy(lenet_5(), None), {}, 0, 0)


def fits(result):
    return device_fits(result, energy_bills(anatomy(lenet_5(), (1, 28, 28)), result))


def test_devices_by_hand():
    found = {(fit.budget.device, fit.budget.offers): fit for fit in fits(lenet_result(900_000))}
    flash = found["Cortex-M4 (STM32F412)", "flash"]
    assert (flash.before, flash.after) == (1_724_320, 900_000)
    assert not flash.fitted and flash.fits
    sram = found["Cortex-M4 (STM32F412)", "SRAM"]
    assert sram.before == sram.after == 4 * (11_520 + 3_200)
    assert found["Phone", "RAM"].after == 1_724_320 + sram.after
    assert found["Phone", "operations a second"].before == 2 * 30 * 2_293_000
    assert all(budget.source for budget in BUDGETS)


def test_decoded_weights_shrink_only_with_lost_neurons():
    ram = next(fit for fit in fits(lenet_result(900, fc1_rows=100)) if fit.budget.offers == "RAM")
    assert ram.before - ram.after == 4 * (400 * 800 + 400 * 10)


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_budget_is_kept_up_to_its_last_byte(size, amount):
    result = lenet_result(size)
    bills = energy_bills(anatomy(lenet_5(), (1, 28, 28)), result)
    (fit,) = device_fits(result, bills, (Budget("x", "y", "file", amount, "z"),))
    assert fit.fits is (size <= amount)


def test_a_budget_for_something_unknown_is_refused():
    result = lenet_result()
    bills = energy_bills(anatomy(lenet_5(), (1, 28, 28)), result)
    wrong = dataclasses.replace(BUDGETS[0], need="weight")
    with pytest.raises(ValueError, match=r"need of Cortex-M4 .* must be one of file, .*'weight'"):
        device_fits(result, bills, (wrong,))
