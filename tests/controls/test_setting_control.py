from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.compress.methods.setting import Dial, dial
from explorer.controls.setting import SettingControl


@dataclass(frozen=True)
class Cut:
    """Cut some away."""

    sparsity: float | None = dial(None, "fraction", "Sparsity", "Share cut.")
    threshold: float | None = dial(None, "number", "Threshold", "Below it.", low=1e-4, high=1.0)
    rank: int = dial(4, "integer", "Rank", "Kept.", low=1, high=300, step=1)
    k: int = dial(32, "power", "Clusters", "Values.", low=2, high=256)
    scope: str = dial("layer", "choice", "Scope", "Where.", options=("layer", "model"))
    norm: float = dial(1e-7, "number", "Norm (left: off)", "Size.", low=1e-7, high=0.1, off=True)
    seed: int = 0
    exclusive: ClassVar = (("sparsity", "threshold"),)

    def __post_init__(self):
        if (self.sparsity is None) == (self.threshold is None):
            raise ValueError("Cut takes exactly one of sparsity, threshold")
        if self.rank == 13:
            raise ValueError("rank must not be 13; choose another")


def watched(setting):
    control, seen = SettingControl(setting), []
    control.observe(lambda change: seen.append(change["new"]), "value")
    return control, seen


def dial_of(control, name):
    return control._dials[name].widget


def test_moving_a_dial_makes_a_new_setting():
    control, seen = watched(Cut(sparsity=0.5, seed=7))
    dial_of(control, "sparsity").value = 90
    dial_of(control, "k").value = 64
    dial_of(control, "scope").value = "model"
    assert seen[0] == Cut(sparsity=0.9, seed=7)
    assert control.value == Cut(sparsity=0.9, k=64, scope="model", seed=7)
    assert len(seen) == 3


def test_assigning_moves_the_dials_and_fires_once():
    control, seen = watched(Cut(sparsity=0.5))
    control.value = Cut(sparsity=0.25, rank=9, k=128)
    assert seen == [Cut(sparsity=0.25, rank=9, k=128)]
    assert [dial_of(control, n).value for n in ("sparsity", "rank", "k")] == [25, 9, 128]


@given(st.floats(0, 1), st.integers(1, 10_000), st.integers(2, 5000))
def test_assigned_values_are_kept_exactly(sparsity, rank, k):
    if rank == 13:
        rank = 14
    control = SettingControl(Cut(sparsity=0.5))
    given_ = Cut(sparsity=sparsity, rank=rank, k=k)
    control.value = given_
    assert control.value is given_
    dial_of(control, "scope").value = "model"
    assert control.value == Cut(sparsity=sparsity, rank=rank, k=k, scope="model")
    control.close()


def test_the_toggle_picks_one_of_two_fields():
    control, seen = watched(Cut(sparsity=0.5))
    pick = control._picks[("sparsity", "threshold")]
    assert "ex-unused" in dial_of(control, "threshold")._dom_classes
    pick.value = "threshold"
    assert control.value.sparsity is None and control.value.threshold == pytest.approx(1e-4)
    dial_of(control, "threshold").value = 0.1
    assert control.value.threshold == pytest.approx(0.1)
    assert "ex-unused" in dial_of(control, "sparsity")._dom_classes
    pick.value = "sparsity"
    assert control.value == Cut(sparsity=0.5)
    control.value = Cut(threshold=0.2)
    assert pick.value == "threshold"
    assert len(seen) == 4


def test_limits_narrow_a_dial_and_keep_the_value():
    control, seen = watched(Cut(sparsity=0.5, rank=200))
    control.set_limits({"rank": (1, 50)})
    assert (dial_of(control, "rank").value, control.value.rank) == (50, 200)
    control.set_limits({"rank": (400, 500), "sparsity": (0.2, 0.4), "threshold": (0.01, 0.1)})
    assert (dial_of(control, "rank").min, dial_of(control, "rank").max) == (400, 500)
    assert dial_of(control, "sparsity").value == pytest.approx(40)
    assert dial_of(control, "threshold").min == pytest.approx(-2)
    assert seen == []


def test_a_refused_setting_is_said_in_words_and_not_taken():
    control, seen = watched(Cut(sparsity=0.5))
    dial_of(control, "rank").value = 13
    assert control._error.value == "rank must not be 13; choose another"
    assert seen == [] and control.value == Cut(sparsity=0.5)
    dial_of(control, "rank").value = 14
    assert control._error.value == "" and control.value.rank == 14


def test_each_dial_has_its_class():
    control = SettingControl(Cut(sparsity=0.5))
    for name in ("sparsity", "threshold", "rank", "k", "scope"):
        assert f"ex-dial-{name}" in dial_of(control, name)._dom_classes


def test_bad_input_is_named():
    with pytest.raises(TypeError, match="instance of a settings dataclass"):
        SettingControl(0.9)
    control = SettingControl(Cut(sparsity=0.5))
    with pytest.raises(TypeError, match="value must be a Cut"):
        control.value = 3
    with pytest.raises(ValueError, match=r"fields with a dial .* got 'bits'"):
        control.set_limits({"bits": (1, 2)})
    with pytest.raises(ValueError, match="low <= high"):
        control.set_limits({"rank": (3, 2)})
    with pytest.raises(ValueError, match="numeric dial"):
        control.set_limits({"k": (2, 4)})


def test_choices_are_shown_with_a_capital_and_keep_their_values():
    control, seen = watched(Cut(sparsity=0.5))
    widget = dial_of(control, "scope")
    assert list(widget.options) == [("Layer", "layer"), ("Model", "model")]
    widget.label = "Model"
    assert seen == [Cut(sparsity=0.5, scope="model")]
    labeled = Dial("choice", "a", "b", options=(("least error", True), "huffman", ""))
    assert labeled.choices == (("least error", True), ("Huffman", "huffman"), ("", ""))


def test_a_dial_that_is_off_at_its_left_end_reads_so_there_and_nowhere_else():
    control, seen = watched(Cut(sparsity=0.5))
    widget = dial_of(control, "norm")
    assert "ex-is-off" in widget._dom_classes
    widget.value = 1e-3
    assert "ex-is-off" not in widget._dom_classes
    widget.value = 10**widget.min
    assert "ex-is-off" in widget._dom_classes and seen[-1].norm == pytest.approx(1e-7)
    control.value = Cut(sparsity=0.5, norm=1e-6)
    assert "ex-is-off" not in widget._dom_classes
    control.value = Cut(sparsity=0.5, norm=0.0)
    assert "ex-is-off" in widget._dom_classes
    assert "ex-is-off" not in dial_of(control, "threshold")._dom_classes


def test_a_count_between_two_powers_is_shown_as_it_is():
    control, _ = watched(Cut(sparsity=0.5, k=12))
    widget = dial_of(control, "k")
    assert widget.value == 12
    assert [count for _, count in widget.options] == [2, 4, 8, 12, 16, 32, 64, 128, 256]
    widget.value = 16
    assert control.value == Cut(sparsity=0.5, k=16)
    control.value = Cut(sparsity=0.5, k=64)
    assert [count for _, count in widget.options] == [2, 4, 8, 16, 32, 64, 128, 256]
