import sys
from xml.etree import ElementTree

import pytest

from explorer.measure.formulas import methods
from explorer.views.formula import FormulaView

ALL = [
    methods.sparsity(266_200, 26_620, 8.3),
    methods.quantization_step(-0.28, 0.31, 8),
    methods.quantization(8),
    methods.binary(),
    methods.sharing(266_200, 32),
    methods.low_rank(300, 784, 50),
    methods.neurons((300, 784), (150, 784)),
    methods.product(300, 784, 4, 16),
    methods.residual_as_printed(300, 784, 2, 16),
    methods.residual(300, 784, 2, 16),
    methods.entropy([5, 3, 1], 1.5),
    methods.entropy_bound([5, 3, 1], 1.5),
]


def words(markup):
    return "".join(ElementTree.fromstring(markup).itertext())


@pytest.mark.parametrize("record", ALL, ids=lambda record: record.name)
def test_every_formula_becomes_mathml_with_its_numbers(record):
    view = FormulaView()
    view.draw(record)
    (item,) = view._box.items
    assert ElementTree.fromstring(item["symbols"]).tag.endswith("math")
    assert words(item["filled"]).replace("\xa0", " ").endswith(record.value_text)
    assert item["spoken"] == record.spoken and "\\" not in item["spoken"]
    view.close()


def test_symbols_are_typeset_as_a_fraction():
    view = FormulaView()
    view.draw(methods.sharing(16, 4, measured=2.5))
    (item,) = view._box.items
    top, bottom = next(
        node
        for node in ElementTree.fromstring(item["symbols"]).iter()
        if node.tag.endswith("mfrac")
    )
    assert "".join(top.itertext()) == "nb"
    assert "log2" in "".join("".join(bottom.itertext()).split())
    assert (item["value"], item["measured"], item["source"]) == ("3.2×", "2.5×", "file")
    assert "the gap" in view._caption.value
    view.draw(methods.sharing(16, 4, measured=3.2))
    assert "equal" in view._caption.value and "gap" not in view._caption.value
    view.close()


def test_turning_a_dial_changes_the_numbers_alone():
    view = FormulaView()
    view.draw(methods.sharing(1600, 4), methods.binary())
    before = view._box.items
    view.draw(methods.sharing(1600, 8), methods.binary())
    after = view._box.items
    assert [item["symbols"] for item in before] == [item["symbols"] for item in after]
    assert before[0]["filled"] != after[0]["filled"] and before[1] == after[1]
    view.close()


def test_no_formula_is_said_in_words():
    view = FormulaView()
    view.draw()
    assert view._box.items == [] and "No formula" in view._caption.value
    view.close()


def test_the_typesetter_is_imported_when_it_is_first_needed():
    import subprocess

    code = "import sys, explorer.views.formula; sys.exit('latex2mathml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
